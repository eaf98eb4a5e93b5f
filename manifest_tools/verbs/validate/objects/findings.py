"""What is wrong with the objects of lines, each by itself and beside its picture."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.text import shown
from manifest_tools.images.headers import ImageHeader
from manifest_tools.images.paths import bucket_of
from manifest_tools.images.signatures import named_format
from manifest_tools.verbs.validate.objects.codes import (
    IMAGE_SIZE,
    LONG_AND_THIN,
    MASK_SIZE,
    MISNAMED,
    NO_PNG,
    NOT_INSPECTED,
    ROTATED,
    SMALL,
    UNUSUAL_COLOURS,
    UNUSUAL_FORMAT,
)
from manifest_tools.verbs.validate.objects.duplicates import LedgerEntry
from manifest_tools.verbs.validate.objects.inspect import Inspection, ObjectReader
from manifest_tools.verbs.validate.objects.references import (
    DeclaredSize,
    LineReferences,
    ObjectKind,
    Reference,
)
from manifest_tools.verbs.validate.objects.sequence_files import (
    SeqLabel,
    SequenceFile,
    seq_label_findings,
    sequence_findings,
)

_LONGEST = 500  # characters of a message

ASPECT = 20
"""What Rekognition takes at most; https://docs.aws.amazon.com/rekognition/latest/customlabels-dg/limits.html"""

_TAKEN = ("JPEG", "PNG")
_PLAIN = ("RGB", "L", "1", "")
_COLOURS = {
    "CMYK": "CMYK, the colours of print",
    "P": "a palette",
    "PA": "a palette with alpha",
    "RGBA": "RGB with alpha",
    "LA": "grey with alpha",
    "RGB;16": "RGB of 16 bits",
    "RGBA;16": "RGB with alpha, of 16 bits",
    "L;16": "grey of 16 bits",
    "LA;16": "grey with alpha, of 16 bits",
    "I;16": "grey of 16 bits",
    "F": "floating point",
}
_TURNS = {
    2: "mirrored",
    3: "upside down",
    4: "upside down and mirrored",
    5: "on its side and mirrored",
    6: "on its side, to be turned to the right",
    7: "on its side and mirrored",
    8: "on its side, to be turned to the left",
}

Size = tuple[int, int]


class ObjectFinding(NamedTuple):
    """What is wrong with an object of a line."""

    code: str
    path: str
    """The JSON path of the key that names the object."""

    message: str


Inspect = Callable[[str, ObjectKind], Inspection]


def find_problems(
    line: LineReferences, inspect: Inspect, smallest: Size | None
) -> tuple[list[ObjectFinding], list[Inspection]]:
    """Return what is wrong with the objects of a line, and what each of them shows."""
    inspections = [inspect(one.ref, one.kind) for one in line.references]
    found: list[ObjectFinding] = []
    picture: ImageHeader | None = None
    sequence: SequenceFile | None = None
    for reference, one in zip(line.references, inspections, strict=True):
        if reference.kind == "picture":
            picture = one.header
        if isinstance(one.document, SequenceFile):
            sequence = one.document
        found += _wrong_by_itself(reference, one, smallest)
        found += _disagreements(reference, one, picture, sequence)
    if picture is not None:
        found += _wrong_sizes(line.sizes, picture)
    return found, inspections


def _wrong_by_itself(
    reference: Reference, inspection: Inspection, smallest: Size | None
) -> Iterator[ObjectFinding]:
    """Yield what is wrong with an object, whatever else is on its line."""
    findings: Iterator[tuple[str, str]]
    if inspection.problem is not None:
        findings = iter((inspection.problem,))
    elif inspection.header is not None:
        as_picture = reference.kind == "picture"
        findings = (
            _picture(reference.ref, inspection.header, smallest) if as_picture else _mask(inspection.header)
        )
    elif isinstance(inspection.document, SequenceFile):
        findings = sequence_findings(inspection.document)
    else:
        return
    yield from (ObjectFinding(code, reference.path, _clipped(words)) for code, words in findings)


def _clipped(words: str) -> str:
    """Return a message that repeats no more than the beginning of a hostile name."""
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."


def _picture(ref: str, header: ImageHeader, smallest: Size | None) -> Iterator[tuple[str, str]]:
    named = named_format(ref)
    if named and named != header.format:
        yield MISNAMED, f"the name {shown(ref)} says {named}, but the picture is a {header.format}"
    if header.format not in _TAKEN:
        yield UNUSUAL_FORMAT, f"expected a JPEG or PNG, found {header.format}"
    if header.orientation != 1:
        flag = f"orientation flag {header.orientation}: {_TURNS[header.orientation]}"
        yield ROTATED, f"expected a picture stored upright, found {flag}"
    if header.format in _TAKEN and header.mode not in _PLAIN:
        yield (
            UNUSUAL_COLOURS,
            f"expected RGB or grey of 8 bits, found {_COLOURS.get(header.mode, header.mode)}",
        )
    if header.width:
        yield from _sides(header.width, header.height, smallest)


def _sides(width: int, height: int, smallest: Size | None) -> Iterator[tuple[str, str]]:
    found = f"found {width:,} x {height:,} pixels"
    if smallest is not None and (width < smallest[0] or height < smallest[1]):
        yield SMALL, f"expected at least {smallest[0]:,} x {smallest[1]:,} pixels (image_shape), {found}"
    if max(width, height) > ASPECT * min(width, height):
        yield LONG_AND_THIN, f"expected one side to be at most {ASPECT} times the other, {found}"


def _mask(header: ImageHeader) -> Iterator[tuple[str, str]]:
    if header.format != "PNG":
        yield NO_PNG, f"expected a PNG as a mask, found {header.format}"


def _disagreements(
    reference: Reference, inspection: Inspection, picture: ImageHeader | None, sequence: SequenceFile | None
) -> Iterator[ObjectFinding]:
    """Yield where an object disagrees with the picture or the sequence of its line."""
    if reference.kind == "mask" and inspection.header is not None and picture is not None:
        mask = inspection.header
        if mask.width and picture.width and not _has_size(mask.width, mask.height, picture):
            words = (
                f"the mask is {mask.width:,} x {mask.height:,} pixels, but its picture {_size_text(picture)}"
            )
            yield ObjectFinding(MASK_SIZE, reference.path, words)
    if isinstance(inspection.document, SeqLabel):
        findings = seq_label_findings(inspection.document, reference.class_map, sequence)
        yield from (ObjectFinding(code, reference.path, words) for code, words in findings)


def _wrong_sizes(declared: tuple[DeclaredSize, ...], picture: ImageHeader) -> Iterator[ObjectFinding]:
    for one in declared:
        if picture.width and not _has_size(one.width, one.height, picture):
            found = f"{one.width:,.10g} x {one.height:,.10g}"
            words = f"image_size is {found}, but the picture is {_size_text(picture)}"
            yield ObjectFinding(IMAGE_SIZE, one.path, words)


def _has_size(width: float, height: float, picture: ImageHeader) -> bool:
    """Say whether a size is the picture's, as stored or as turned by its flag, as a browser shows it."""
    return (width, height) in ((picture.width, picture.height), picture.upright_size)


def _size_text(picture: ImageHeader) -> str:
    return f"{picture.width:,} x {picture.height:,}"


@dataclass(frozen=True, slots=True)
class InspectedLines:
    """What the objects of some lines show; small, for it goes from process to process."""

    lines: int
    objects: int
    """How many objects the lines name; one that two lines name counts twice."""

    found: tuple[tuple[int, ObjectFinding], ...]
    """What is wrong, with the number of the line."""

    entries: tuple[LedgerEntry, ...]
    """The pictures."""

    not_inspected: dict[str, tuple[int, int]]
    """Buckets whose objects could not be read: the first line and the number of objects."""


_Inspected = tuple[int, Reference, Inspection]


def inspect_lines(
    reader: ObjectReader, smallest: Size | None, file: int, lines: Sequence[LineReferences]
) -> InspectedLines:
    """Return what the objects of some lines show; ``file`` is the number of the manifest, from 0."""
    found: list[tuple[int, ObjectFinding]] = []
    inspected: list[_Inspected] = []
    for line in lines:
        findings, inspections = find_problems(line, reader.inspect, smallest)
        found += ((line.line, one) for one in findings if one.message)
        inspected += ((line.line, *one) for one in zip(line.references, inspections, strict=True))
    entries, rest = _entries(file, inspected), _not_inspected(inspected)
    return InspectedLines(len(lines), len(inspected), tuple(found), entries, rest)


def _entries(file: int, inspected: Sequence[_Inspected]) -> tuple[LedgerEntry, ...]:
    pictures = (one for one in inspected if one[1].kind == "picture")
    known = [one for one in pictures if one[2].content and one[2].problem is None]
    names = hash_texts([reference.ref for _, reference, _ in known]).tolist()
    return tuple(
        LedgerEntry(file, line, name, one.size, one.content, one.partial)
        for (line, _, one), name in zip(known, names, strict=True)
    )


def _not_inspected(inspected: Sequence[_Inspected]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for line, reference, one in inspected:
        if one.problem == (NOT_INSPECTED, ""):
            add_not_inspected(found, bucket_of(reference.ref), (line, 1))
    return found


def add_not_inspected(table: dict[str, tuple[int, int]], bucket: str, more: tuple[int, int]) -> None:
    """Count objects of a bucket that could not be read."""
    first, count = table.get(bucket, (more[0], 0))
    table[bucket] = (min(first, more[0]), count + more[1])
