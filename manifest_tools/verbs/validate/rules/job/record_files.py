"""Whether a ``.rec`` or ``.lst``, given in a manifest's place, is one that the algorithms and MXNet read."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.io.recordio import ImageRecord, frame, pack
from manifest_tools.verbs.validate.engine.file_facts import Occurrences
from manifest_tools.verbs.validate.preflight.inputs import PreflightInput
from manifest_tools.verbs.validate.preflight.record_file import MOST_EXACT, RecordFile
from manifest_tools.verbs.validate.preflight.settings import hyperparameters
from manifest_tools.verbs.validate.rules.file.one_file import lines as counted
from manifest_tools.verbs.validate.rules.rule import Example, Rule, rule

_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
_EXAMPLES = "https://github.com/aws/amazon-sagemaker-examples/issues/"
_MXNET = "https://github.com/apache/mxnet/issues/"
_WORDS = {"rec": "record", "lst": "row"}


def there_are_records(packed: RecordFile) -> Iterator[Finding]:
    """A .rec has records, and a .lst has rows."""
    if not packed.samples and not packed.broken:
        what = f"expected {_WORDS[packed.kind]}s with a picture, found none in {packed.size:,} bytes"
        yield Finding("", f"{what} (known failure {28 if packed.kind == 'rec' else 21})")


def the_framing_is_whole(packed: RecordFile) -> Iterator[Finding]:
    """The framing of a .rec goes on to its last byte."""
    if packed.broken:
        where = f"after {packed.entries:,} records, at {packed.broken}"
        yield Finding("", f"{where} (known failure 37)", packed.entries + 1)


def the_index_fits(packed: RecordFile) -> Iterator[Finding]:
    """The .idx beside a .rec has the offsets of its records."""
    if packed.index:
        yield Finding("", f"{packed.index} (known failure 37)")


def records_hold_pictures(packed: RecordFile) -> Iterator[Finding]:
    """A record holds MXNet's image header, its labels, and a JPEG or PNG."""
    if packed.kind == "rec":
        for why, seen in packed.invalid.items():
            yield Finding("", f"{why} ({_counted(packed, seen)}) (known failures 29 and 30)", seen.first)


def rows_can_be_read(packed: RecordFile) -> Iterator[Finding]:
    """A row of a .lst is a number, labels and a path, with tabs between: im2rec skips any other."""
    if packed.kind == "lst":
        for why, seen in packed.invalid.items():
            yield Finding("", f"{why} ({_counted(packed, seen)}) (known failures 21 and 26)", seen.first)


def rows_have_their_own_number(packed: RecordFile) -> Iterator[Finding]:
    """No two rows of a .lst have the same number."""
    if packed.twice is not None:
        message = f"its number is an earlier row's ({_counted(packed, packed.twice)}) (known failure 21)"
        yield Finding("", message, packed.twice.first)


def the_first_record_is_a_picture(packed: RecordFile) -> Iterator[Finding]:
    """The first record is a picture, and no description of the others."""
    if packed.description:
        yield Finding("", "record 0 has no picture: it describes the others (known failure 36)", 1)


def labels_are_exact(packed: RecordFile) -> Iterator[Finding]:
    """A label is below 2^24: it is a 32-bit float, in which whole numbers from there on are rounded."""
    if packed.large is not None:
        message = f"a label of {MOST_EXACT:,} or more ({_counted(packed, packed.large)}) (known failure 35)"
        yield Finding("", message, packed.large.first)


def labels_are_as_many(packed: RecordFile) -> Iterator[Finding]:
    """All records, or rows, have the same number of labels."""
    if len(packed.widths) > 1 and packed.boxes:
        usual = max(packed.widths, key=lambda width: packed.widths[width].lines)
        for width, seen in packed.widths.items():
            if width != usual:
                message = f"{width:,} labels ({_counted(packed, seen)}), where others have {usual:,}"
                yield Finding("", f"{message} (known failures 22 and 27)", seen.first)


def labels_are_classes(packed: RecordFile) -> Iterator[Finding]:
    """A label is a class index: a whole number from 0."""
    if packed.fractions is not None:
        message = f"expected a class index from 0 ({_counted(packed, packed.fractions)})"
        yield Finding("", message, packed.fractions.first)


def vectors_are_boxes(packed: RecordFile) -> Iterator[Finding]:
    """A label of object detection is 2, 5, and then class, left, top, right and bottom of every box."""
    for why, seen in packed.boxes.items():
        yield Finding("", f"{why} ({_counted(packed, seen)}) (known failures 32 and 33)", seen.first)


def vectors_go_with_multi_label(job: PreflightInput) -> Iterator[Finding]:
    """With multi_label=1 a label is a vector, a zero or one for each class; without, it is a class."""
    values = hyperparameters(job.preflight)
    several, told = values.get("multi_label") == "1", values.get("num_classes", "")
    for packed in (channel.record_file for channel in job.channels if channel.record_file is not None):
        single = packed.widths.get(1)
        if several and single is not None:
            message = (
                f"multi_label=1, and {_counted(packed, single)} with one label: packed without --pack-label"
            )
            yield Finding("", f"{message} (known failure 31)", single.first, packed.name)
        for width, seen in packed.widths.items():
            if width > 1 and not several:
                message = f"{width:,} labels ({_counted(packed, seen)}), and multi_label is not 1"
                yield Finding("", f"{message} (known failure 31)", seen.first, packed.name)
            elif width > 1 and told.isdecimal() and told != str(width):
                message = f"{width:,} labels ({_counted(packed, seen)}), and num_classes={told}"
                yield Finding("", f"{message} (known failure 22)", seen.first, packed.name)


def _counted(packed: RecordFile, seen: Occurrences) -> str:
    return counted(seen).replace("line", _WORDS[packed.kind])


_JPEG = b"\xff\xd8\xff\xd9"


def _rec(*records: tuple[tuple[float, ...], bytes], tail: bytes = b"") -> Example:
    """Return an example of one .rec, of labels and pictures."""
    parts = (ImageRecord(at, labels, data, len(labels) > 1) for at, (labels, data) in enumerate(records))
    return _file(b"".join(frame(pack(one)) for one in parts) + tail, "train.rec")


def _file(data: bytes, name: str) -> Example:
    return Example((data.decode("utf-8", "surrogateescape"),), names=(name,))


def _lst(*rows: str) -> Example:
    return Example(("".join(f"{row}\n" for row in rows),), names=("train.lst",))


def _told(example: Example, **values: str) -> Example:
    return Example(example.files, hyperparameters=values, names=example.names)


_GOOD = _rec(((0,), _JPEG), ((1,), _JPEG))
_ROWS = _lst("0\t0\tleft/1.jpg", "1\t1\tright/2.jpg")
_BOXES = (2, 5, 0, 0.25, 0.25, 0.5, 0.75)
# Of a .rec with its .idx: the second file is written under its name beside the first.
_INDEXED = Example((*_GOOD.files, "0\t0\n1\t8\n"), names=("train.rec", "train.idx"))

RULES: tuple[Rule, ...] = (
    rule(
        "MT801",
        "error",
        "record file",
        there_are_records,
        breaks=_file(b"", "train.rec"),
        keeps=_GOOD,
        fix="Pack again with mtool convert --to recordio, which fails where nothing would be in it.",
        source="https://github.com/aws-samples/amazon-sagemaker-pipelines-mxnet-image-classification/issues/1",
    ),
    rule(
        "MT802",
        "error",
        "record file",
        the_framing_is_whole,
        breaks=_rec(((0,), _JPEG), tail=b"\x0a\x23\xd7\xce\xff"),
        keeps=_GOOD,
        fix="Fetch or pack it again.",
        source=f"{_MXNET}9114",
    ),
    rule(
        "MT803",
        "error",
        "record file",
        the_index_fits,
        breaks=_INDEXED,
        keeps=_GOOD,
        fix="Pack again, .rec and .idx together; or MXNet's rec2idx.py makes an .idx of the .rec.",
        source=f"{_MXNET}9114",
    ),
    rule(
        "MT804",
        "error",
        "record file",
        records_hold_pictures,
        breaks=_rec(((0,), _JPEG), ((1,), b"<html>")),
        keeps=_GOOD,
        fix="Pack again with mtool convert --to recordio, which names every picture that it cannot read.",
        source=f"{_MXNET}11607",
    ),
    rule(
        "MT805",
        "error",
        "record file",
        rows_can_be_read,
        breaks=_lst("0 0 left/1.jpg"),
        keeps=_ROWS,
        fix="Put tabs between number, labels and path; mtool convert --to recordio writes such a list.",
        source=f"{_EXAMPLES}681",
    ),
    rule(
        "MT806",
        "error",
        "record file",
        rows_have_their_own_number,
        breaks=_lst("0\t0\tleft/1.jpg", "0\t1\tright/2.jpg"),
        keeps=_ROWS,
        fix="Number the rows from 0, one after the other.",
        source=f"{_GUIDE}image-classification.html",
    ),
    rule(
        "MT807",
        "warning",
        "record file",
        the_first_record_is_a_picture,
        breaks=_rec(((3, 9), b""), ((1,), _JPEG)),
        keeps=_GOOD,
        fix="Leave it out: the built-in algorithms take every record for a picture.",
        source=f"{_MXNET}13053",
    ),
    rule(
        "MT808",
        "error",
        "record file",
        labels_are_exact,
        breaks=_lst("0\t25130987\tleft/1.jpg"),
        keeps=_ROWS,
        fix="Number the classes from 0, one after the other.",
        source=f"{_MXNET}18227",
    ),
    rule(
        "MT809",
        "error",
        "record file",
        labels_are_as_many,
        breaks=_lst("0\t0\tleft/1.jpg", "1\t1\t0\tright/2.jpg"),
        keeps=_ROWS,
        fix="Give every row as many labels, a zero or a one for each class.",
        source=f"{_MXNET}2393",
    ),
    rule(
        "MT810",
        "error",
        "record file",
        labels_are_classes,
        breaks=_lst("0\t0.5\tleft/1.jpg"),
        keeps=_ROWS,
        fix="Write the index of the class, counted from 0.",
        source=f"{_GUIDE}image-classification.html",
        purposes=("builtin",),
    ),
    rule(
        "MT811",
        "error",
        "record file",
        vectors_are_boxes,
        breaks=_GOOD,
        keeps=_rec((_BOXES, _JPEG)),
        fix="Write 2, 5, and then class, left, top, right and bottom of every box, from 0 to 1.",
        source=f"{_EXAMPLES}343",
        purposes=("object-detection",),
    ),
    rule(
        "MT812",
        "error",
        "job",
        vectors_go_with_multi_label,
        breaks=_told(_GOOD, multi_label="1"),
        keeps=_told(_rec(((0, 1), _JPEG)), multi_label="1", num_classes="2"),
        fix="Pack again with --pack-label, or with mtool convert --to recordio.",
        source=f"{_MXNET}4347",
        purposes=("builtin",),
    ),
)
