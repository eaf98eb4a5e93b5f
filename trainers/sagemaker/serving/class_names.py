"""The names of a model's classes: from the classes.json of its job, beside a manifest, or beside the model.

The built-in algorithms keep indices only. Another class table than the one that the model was trained with
would name every answer wrongly, so its hash is compared with the job's tag.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import BadData, MtoolError
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io import s3
from trainers.sagemaker.client.upload import CLASSES as CARD
from trainers.sagemaker.client.upload import job_prefix
from trainers.sagemaker.requests.training_job import CLASSES_TAG

NAMELESS = "its classes have no names: no classes.json was found; type --classes FILE"


@dataclass(frozen=True, slots=True)
class NamedClasses:
    """A class table, and where it was found."""

    table: ClassTable | None = None
    """The table; None where there is none."""

    uri: str = ""
    """Its URI in S3; empty where it comes from elsewhere."""

    note: str = ""
    """Why there is no table, where there is more to say than that."""


def beside(uri: str) -> str:
    """Return the URI of the classes.json in the folder of an object, or of a prefix.

    >>> beside("s3://lab3/train.manifest"), beside("s3://lab3/one/train/")
    ('s3://lab3/classes.json', 's3://lab3/one/classes.json')
    """
    return f"{uri.rstrip('/').rpartition('/')[0]}/{CARD}"


def of_job(description: Mapping[str, Any], tags: Mapping[str, str]) -> NamedClasses:
    """Return the names of a described training job's classes."""
    sources = (
        one.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
        for one in description.get("InputDataConfig") or ()
        if one.get("ChannelName") == "train"
    )
    output = description["OutputDataConfig"]["S3OutputPath"]
    uploaded = f"{job_prefix(output, description['TrainingJobName'])}/{CARD}"
    places = [uploaded, *(beside(uri) for uri in sources if uri.startswith("s3://"))]
    return first_of(places, tags.get(CLASSES_TAG, ""))


def first_of(places: Iterable[str], digest: str = "") -> NamedClasses:
    """Return the first class table that is there, with this hash if one is given."""
    notes = []
    for uri in dict.fromkeys(places):
        found = _read(uri)
        if found.table is not None and digest and found.table.digest != digest:
            found = NamedClasses(
                note=f"{uri} is not the class table that the model was trained with, so it is not used"
            )
        if found.table is not None:
            return found
        notes += [found.note] if found.note else []
    return NamedClasses(note="; ".join(notes))


def _read(uri: str) -> NamedClasses:
    try:
        return NamedClasses(ClassTable.from_json(json.loads(s3.read(uri))), uri)
    except s3.NotThere:
        return NamedClasses()
    except (ValueError, RecursionError, BadData) as error:
        return NamedClasses(note=f"{uri} is no class table ({error})")
    except MtoolError as error:  # a bucket elsewhere, no leave to read: names are no reason to stop
        return NamedClasses(note=str(error))
