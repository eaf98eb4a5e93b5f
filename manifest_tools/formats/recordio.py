"""RecordIO as im2rec makes it, and SageMaker's built-in algorithm reads it: .rec, .idx, .lst."""

from collections.abc import Iterator
from typing import Any

from manifest_tools.base.errors import BadData
from manifest_tools.base.problem import Problem
from manifest_tools.formats import ConversionPlan, PictureDefaults
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.images.paths import common_folder
from manifest_tools.images.unusable import UNNAMEABLE, Unusable
from manifest_tools.io.recordio import ImageRecord, frame, idx_line, lst_line, pack
from manifest_tools.io.sinks import Publication

# 256 leaves room to crop the built-in algorithm's 224 x 224; JPEG and PNG are what it and im2rec take.
USUAL = PictureDefaults(resize=256, accepted=("JPEG", "PNG"))

_LONGEST_VECTOR = 1 << 16  # classes; four bytes each, on every record


def base_name(output: str) -> str:
    """Return ``output`` without ``.rec``.

    >>> base_name("train.rec")
    'train'
    """
    return output.removesuffix(".rec")


def check(plan: ConversionPlan) -> None:
    """Raise BadData where the label vectors would be absurd."""
    classes = plan.examples.table.num_classes
    if plan.examples.multi_label and classes > _LONGEST_VECTOR:
        raise BadData(
            f"{plan.manifest}: expected at most {_LONGEST_VECTOR:,} classes, found {classes:,}; every"
            " record of a multi-label data set has a number for each"
        )


def write(
    plan: ConversionPlan,
    pictures: Iterator[tuple[Example, bytes]],
    problems: list[Problem],
    publication: Publication,
) -> dict[str, Any]:
    """Write one record a picture, its id and key the number of the line.

    A single label stands in the header, as a float; several become a vector of ``num_classes`` zeros
    and ones. Paths in the .lst leave out the folder that all pictures share.
    """
    rec, idx, lst = (publication.open(f"{plan.output}.{ending}") for ending in ("rec", "idx", "lst"))
    shared = len(common_folder(example.ref for example in plan.examples.examples))
    offset = count = 0
    sizes = dict.fromkeys(("rec", "idx", "lst"), 0)
    for example, picture in pictures:
        labels = label_values(plan, example)
        try:
            listed = lst_line(example.number, labels, example.ref[shared:]).encode()
        except ValueError as error:
            problems.append(plan.problem(example, Unusable(UNNAMEABLE, str(error))))
            continue
        record = ImageRecord(example.number, labels, picture, plan.examples.multi_label)
        sizes["idx"] += idx.write(idx_line(example.number, offset).encode())
        sizes["lst"] += lst.write(listed)
        offset += rec.write(frame(pack(record)))
        count += 1
    sizes["rec"] = offset
    return {
        "pictures": count,
        "label_width": plan.examples.table.num_classes if plan.examples.multi_label else 1,
        "files": {f"{_name(plan.output)}.{ending}": size for ending, size in sizes.items()},
    }


def label_values(plan: ConversionPlan, example: Example) -> tuple[float, ...]:
    """Return the labels of a record: the class, or zero or one for every class."""
    if not plan.examples.multi_label:
        return (float(example.classes[0]),)
    shown = set(example.classes)
    return tuple(float(index in shown) for index in range(plan.examples.table.num_classes))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
