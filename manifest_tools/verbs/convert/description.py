"""The Croissant description that stands beside an output."""

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from manifest_tools.base.errors import Refused
from manifest_tools.formats.croissant import Description, croissant, described_file
from manifest_tools.io.sinks import Publication
from manifest_tools.verbs.convert.plan import ConversionPlan

ENDING = ".croissant.json"


@dataclass(slots=True)
class CountedParts:
    """Counts the pictures of each part, and hands on what it is told."""

    placed: Callable[[str, int, str], None]
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, part: str, number: int, key: str) -> None:
        """Count a picture that is in the output."""
        self.counts[part] += 1
        self.placed(part, number, key)


def check_can_describe(plan: ConversionPlan) -> None:
    """Raise Refused where the files of an output are not on this disk, which are hashed."""
    if plan.output.startswith("s3://"):
        raise Refused(
            "--croissant: has the SHA-256 of every file, which are read from this disk; leave it out,"
            " or type -o for a place here, and copy that to S3"
        )


def describe(plan: ConversionPlan, counts: Counter[str], publication: Publication, in_folder: bool) -> None:
    """Write the description of an output whose files are written and not published yet."""
    base = os.path.dirname(plan.output)
    files = [
        described_file(os.path.relpath(path, base or ".").replace(os.sep, "/"), local)
        for path, local in publication.local_files()
    ]
    name = os.path.basename(plan.output)
    described = croissant(
        Description(
            name, plan.to, plan.label_kind, plan.table, counts, files, folder=name if in_folder else ""
        )
    )
    text = json.dumps(described, indent=2, ensure_ascii=False)
    publication.open(plan.output + ENDING).write(text.encode() + b"\n")
