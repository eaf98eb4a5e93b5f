"""Whether the algorithms and MXNet can read a ``.rec`` or ``.lst`` that is given in place of a manifest."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted
from manifest_tools.io.detection_labels import MOST_EXACT
from manifest_tools.io.recordio import ImageRecord, frame, pack
from manifest_tools.verbs.validate.engine.file_facts import Occurrences
from manifest_tools.verbs.validate.preflight.inputs import PreflightInput
from manifest_tools.verbs.validate.preflight.record_file import RecordFile
from manifest_tools.verbs.validate.preflight.settings import hyperparameters
from manifest_tools.verbs.validate.rules.references import (
    IMAGE_CLASSIFICATION,
    MXNET_ISSUES,
    SAGEMAKER_ISSUES,
)
from manifest_tools.verbs.validate.rules.rule import Example, rule

_NOUNS = {"rec": "record", "lst": "row"}
_JPEG = b"\xff\xd8\xff\xd9"
_BOXES = (2, 5, 0, 0.25, 0.25, 0.5, 0.75)


@rule(
    "MT801",
    "error",
    "record file",
    breaks=lambda: _file(b"", "train.rec"),
    keeps=lambda: _good_rec(),
    fix="Pack again with mtool convert --to recordio, which refuses to write an empty file.",
    source="https://github.com/aws-samples/amazon-sagemaker-pipelines-mxnet-image-classification/issues/1",
)
def there_are_records(file: RecordFile) -> Iterator[Finding]:
    """A .rec has records, and a .lst has rows."""
    if not file.samples and not file.broken:
        message = f"expected {_NOUNS[file.kind]}s with a picture, found none in {file.size:,} bytes"
        yield Finding("", f"{message} (known failure {28 if file.kind == 'rec' else 21})")


@rule(
    "MT802",
    "error",
    "record file",
    breaks=lambda: _rec(((0,), _JPEG), tail=b"\x0a\x23\xd7\xce\xff"),
    keeps=lambda: _good_rec(),
    fix="Download or pack the file again.",
    source=f"{MXNET_ISSUES}9114",
)
def the_framing_is_whole(file: RecordFile) -> Iterator[Finding]:
    """A .rec is a sequence of whole records up to its last byte."""
    if file.broken:
        message = f"damaged after {_counted(file, file.entries)}, at {file.broken} (known failure 37)"
        yield Finding("", message, file.entries + 1)


@rule(
    "MT803",
    "error",
    "record file",
    breaks=lambda: _indexed(),
    keeps=lambda: _good_rec(),
    fix="Pack .rec and .idx again together, or make the .idx from the .rec with MXNet's rec2idx.py.",
    source=f"{MXNET_ISSUES}9114",
)
def the_index_fits(file: RecordFile) -> Iterator[Finding]:
    """The .idx beside a .rec lists the offsets of its records."""
    if file.index:
        yield Finding("", f"{file.index} (known failure 37)")


@rule(
    "MT804",
    "error",
    "record file",
    breaks=lambda: _rec(((0,), _JPEG), ((1,), b"<html>")),
    keeps=lambda: _good_rec(),
    fix="Pack again with mtool convert --to recordio, which names every picture that it cannot read.",
    source=f"{MXNET_ISSUES}11607",
)
def records_hold_pictures(file: RecordFile) -> Iterator[Finding]:
    """A record holds MXNet's image header, its labels, and a JPEG or PNG."""
    if file.kind == "rec":
        for why, seen in file.invalid.items():
            yield _of_many(file, seen, why, "s 29 and 30")


@rule(
    "MT805",
    "error",
    "record file",
    breaks=lambda: _lst("0 0 left/1.jpg"),
    keeps=lambda: _good_lst(),
    fix="Put tabs between number, labels and path; mtool convert --to recordio writes such a list.",
    source=f"{SAGEMAKER_ISSUES}681",
)
def rows_can_be_read(file: RecordFile) -> Iterator[Finding]:
    """A row of a .lst is a number, labels and a path, with tabs between: im2rec skips other rows."""
    if file.kind == "lst":
        for why, seen in file.invalid.items():
            yield _of_many(file, seen, why, "s 21 and 26")


@rule(
    "MT806",
    "error",
    "record file",
    breaks=lambda: _lst("0\t0\tleft/1.jpg", "0\t1\tright/2.jpg"),
    keeps=lambda: _good_lst(),
    fix="Number the rows 0, 1, 2 and so on.",
    source=IMAGE_CLASSIFICATION,
)
def rows_have_their_own_number(file: RecordFile) -> Iterator[Finding]:
    """No two rows of a .lst have the same number."""
    if file.twice is not None:
        yield _of_many(file, file.twice, "an earlier row has the same number", " 21")


@rule(
    "MT807",
    "warning",
    "record file",
    breaks=lambda: _rec(((3, 9), b""), ((1,), _JPEG)),
    keeps=lambda: _good_rec(),
    fix="Leave this record out: the built-in algorithms read every record as a picture.",
    source=f"{MXNET_ISSUES}13053",
)
def the_first_record_is_a_picture(file: RecordFile) -> Iterator[Finding]:
    """The first record is a picture, not a description of the others."""
    if file.description:
        yield Finding("", "the first record has no picture: it describes the others (known failure 36)", 1)


@rule(
    "MT808",
    "error",
    "record file",
    breaks=lambda: _lst("0\t25130987\tleft/1.jpg"),
    keeps=lambda: _good_lst(),
    fix="Number the classes 0, 1, 2 and so on.",
    source=f"{MXNET_ISSUES}18227",
)
def labels_are_exact(file: RecordFile) -> Iterator[Finding]:
    """A label is below 2^24: RecordIO has 32-bit floats, which round larger whole numbers."""
    if file.large is not None:
        message = f"a label is {MOST_EXACT:,} or more and is rounded"
        yield _of_many(file, file.large, message, " 35")


@rule(
    "MT809",
    "error",
    "record file",
    breaks=lambda: _lst("0\t0\tleft/1.jpg", "1\t1\t0\tright/2.jpg"),
    keeps=lambda: _good_lst(),
    fix="Give every row the same number of labels: a 0 or a 1 for each class.",
    source=f"{MXNET_ISSUES}2393",
)
def labels_are_as_many(file: RecordFile) -> Iterator[Finding]:
    """All records, or all rows, have the same number of labels."""
    if len(file.widths) > 1 and file.boxes:
        usual = max(file.widths, key=lambda width: file.widths[width].lines)
        for width, seen in file.widths.items():
            if width != usual:
                message = f"expected {counted(usual, 'label')} as on the others, found {width:,}"
                yield _of_many(file, seen, message, "s 22 and 27")


@rule(
    "MT810",
    "error",
    "record file",
    breaks=lambda: _lst("0\t0.5\tleft/1.jpg"),
    keeps=lambda: _good_lst(),
    fix="Write the index of the class, counted from 0.",
    source=IMAGE_CLASSIFICATION,
    purposes=("builtin",),
)
def labels_are_classes(file: RecordFile) -> Iterator[Finding]:
    """A label is a class index, a whole number from 0."""
    if file.fractions is not None:
        message = "expected a class index from 0 as label, found another number"
        yield _of_many(file, file.fractions, message)


@rule(
    "MT811",
    "error",
    "record file",
    breaks=lambda: _good_rec(),
    keeps=lambda: _rec((_BOXES, _JPEG), ((4, 5, 320, 240, *_BOXES[2:]), _JPEG)),
    fix="Write 2, 5, then class, left, top, right and bottom of every box; the sides from 0 to 1. Longer"
    " headers and boxes are read too: mtool explain MT811 shows one.",
    source=f"{SAGEMAKER_ISSUES}343",
    purposes=("object-detection",),
)
def vectors_are_boxes(file: RecordFile) -> Iterator[Finding]:
    """A label for object detection is a header, then class, left, top, right and bottom of every box."""
    for why, seen in file.boxes.items():
        yield _of_many(file, seen, why, "s 32 and 33")


@rule(
    "MT812",
    "error",
    "job",
    breaks=lambda: _with(_good_rec(), multi_label="1"),
    keeps=lambda: _with(_rec(((0, 1), _JPEG)), multi_label="1", num_classes="2"),
    fix="Pack again with --pack-label, or with mtool convert --to recordio.",
    source=f"{MXNET_ISSUES}4347",
    purposes=("builtin",),
)
def vectors_go_with_multi_label(job: PreflightInput) -> Iterator[Finding]:
    """With multi_label=1 a label is a vector with a 0 or 1 for each class, without it a class index."""
    values = hyperparameters(job.preflight)
    several, classes = values.get("multi_label") == "1", values.get("num_classes", "")
    for file in (channel.record_file for channel in job.channels if channel.record_file is not None):
        single = file.widths.get(1)
        if several and single is not None:
            message = "multi_label=1, but there is only one label: packed without --pack-label"
            yield _of_many(file, single, message, " 31")
        for width, seen in file.widths.items():
            if width > 1 and not several:
                yield _of_many(file, seen, f"{width:,} labels, but multi_label is not 1", " 31")
            elif width > 1 and classes.isdecimal() and classes != str(width):
                yield _of_many(file, seen, f"{width:,} labels, but num_classes={classes}", " 22")


@rule(
    "MT813",
    "error",
    "record file",
    breaks=lambda: _lst("0\t1\t0\tleft/1.jpg", "1\t0.5\t2\tright/2.jpg"),
    keeps=lambda: _lst("0\t1\t0\tleft/1.jpg", "1\t0\t1\tright/2.jpg"),
    fix="Write a 0 or a 1 for each class; mtool convert --to recordio does.",
    source=IMAGE_CLASSIFICATION,
    purposes=("builtin",),
)
def vectors_are_flags(file: RecordFile) -> Iterator[Finding]:
    """A vector of labels for image classification has a 0 or a 1 for each class."""
    if file.not_hot is not None:
        yield _of_many(file, file.not_hot, "expected 0 or 1 for each class, found another number")


@rule(
    "MT814",
    "warning",
    "record file",
    breaks=lambda: _listed("0\t0\tleft/1.jpg\n1\t0\tright/2.jpg\n"),
    keeps=lambda: _listed("0\t0\tleft/1.jpg\n1\t1\tright/2.jpg\n"),
    fix="Pack the .rec again from the list, or remove the list that is not its own.",
    source=f"{MXNET_ISSUES}9114",
)
def the_list_fits(file: RecordFile) -> Iterator[Finding]:
    """The .lst beside a .rec has a row for each record, with the same number and labels."""
    for why, seen in file.listing.items():
        rows = "row" if seen.first == 0 else "record"
        yield Finding("", f"{why} ({counted(seen.lines, rows)})", seen.first, file.name)


def _of_many(file: RecordFile, seen: Occurrences, message: str, known_failure: str = "") -> Finding:
    """Return a finding about the first of some records or rows, which says how many there are."""
    row = f" (known failure{known_failure})" if known_failure else ""
    return Finding("", f"{message} ({_counted(file, seen.lines)}){row}", seen.first, file.name)


def _counted(file: RecordFile, number: int) -> str:
    return counted(number, _NOUNS[file.kind])


def _rec(*records: tuple[tuple[float, ...], bytes], tail: bytes = b"") -> Example:
    """Return an example of one .rec, of labels and pictures."""
    parts = (ImageRecord(at, labels, data, len(labels) > 1) for at, (labels, data) in enumerate(records))
    return _file(b"".join(frame(pack(one)) for one in parts) + tail, "train.rec")


def _file(data: bytes, name: str) -> Example:
    return Example((data.decode("utf-8", "surrogateescape"),), names=(name,))


def _lst(*rows: str) -> Example:
    return Example(("".join(f"{row}\n" for row in rows),), names=("train.lst",))


def _good_rec() -> Example:
    return _rec(((0,), _JPEG), ((1,), _JPEG))


def _good_lst() -> Example:
    return _lst("0\t0\tleft/1.jpg", "1\t1\tright/2.jpg")


def _indexed() -> Example:
    """Return an example of a .rec with its .idx, which is written under its name beside the first file."""
    return Example((*_good_rec().files, "0\t0\n1\t8\n"), names=("train.rec", "train.idx"))


def _listed(rows: str) -> Example:
    """Return an example of a .rec with a .lst of these rows beside it."""
    return Example((*_good_rec().files, rows), names=("train.rec", "train.lst"))


def _with(example: Example, **values: str) -> Example:
    return Example(example.files, hyperparameters=values, names=example.names)


RULES = (
    there_are_records,
    the_framing_is_whole,
    the_index_fits,
    records_hold_pictures,
    rows_can_be_read,
    rows_have_their_own_number,
    the_first_record_is_a_picture,
    labels_are_exact,
    labels_are_as_many,
    labels_are_classes,
    vectors_are_boxes,
    vectors_go_with_multi_label,
    vectors_are_flags,
    the_list_fits,
)
