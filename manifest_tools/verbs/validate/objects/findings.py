"""What is wrong with the objects of a line, and between them: a picture, its mask, the size of its boxes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from manifest_tools.base.text import shown
from manifest_tools.images.headers import ImageHeader
from manifest_tools.images.signatures import named_format
from manifest_tools.verbs.validate.objects.codes import (
    IMAGE_SIZE,
    LONG_AND_THIN,
    MASK_SIZE,
    MISNAMED,
    NO_PNG,
    ODD_COLOURS,
    ODD_FORMAT,
    SMALL,
    TURNED,
)
from manifest_tools.verbs.validate.objects.inspect import Look
from manifest_tools.verbs.validate.objects.references import Declared, Kind, Pointer, Pointing
from manifest_tools.verbs.validate.objects.sequence_files import (
    SeqLabel,
    Sequence,
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


class Finding(NamedTuple):
    """What is wrong with an object of a line: a code, the place in the line, and words."""

    code: str
    path: str
    message: str


Looking = Callable[[str, Kind], Look]


def judge(line: Pointing, look: Looking, smallest: Size | None) -> tuple[list[Finding], list[Look]]:
    """Return what is wrong with what a line points to, and the look at each."""
    looks = [look(pointer.ref, pointer.kind) for pointer in line.pointers]
    found: list[Finding] = []
    picture: ImageHeader | None = None
    sequence: Sequence | None = None
    for pointer, one in zip(line.pointers, looks, strict=True):
        if pointer.kind == "picture":
            picture = one.seen
        if isinstance(one.document, Sequence):
            sequence = one.document
        found += _alone(pointer, one, smallest)
        found += _beside(pointer, one, picture, sequence)
    if picture is not None:
        found += _declared(line.declared, picture)
    return found, looks


def _alone(pointer: Pointer, look: Look, smallest: Size | None) -> Iterator[Finding]:
    """Yield what is wrong with an object, whatever the line says beside."""
    findings: Iterator[tuple[str, str]]
    if look.trouble is not None:
        findings = iter((look.trouble,))
    elif look.seen is not None:
        as_picture = pointer.kind == "picture"
        findings = _picture(pointer.ref, look.seen, smallest) if as_picture else _mask(look.seen)
    elif isinstance(look.document, Sequence):
        findings = sequence_findings(look.document)
    else:
        return
    yield from (Finding(code, pointer.path, _clipped(words)) for code, words in findings)


def _clipped(words: str) -> str:
    """Return a message that repeats no more than the beginning of a hostile name."""
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."


def _picture(ref: str, seen: ImageHeader, smallest: Size | None) -> Iterator[tuple[str, str]]:
    named = named_format(ref)
    if named and named != seen.format:
        yield MISNAMED, f"expected a {named} picture by its name, found {seen.format}: {shown(ref)}"
    if seen.format not in _TAKEN:
        yield ODD_FORMAT, f"expected JPEG or PNG, found {seen.format}"
    if seen.orientation != 1:
        flag = f"orientation flag {seen.orientation}: {_TURNS[seen.orientation]}"
        yield TURNED, f"expected a picture stored upright, found {flag}"
    if seen.format in _TAKEN and seen.mode not in _PLAIN:
        yield ODD_COLOURS, f"expected RGB or grey of 8 bits, found {_COLOURS.get(seen.mode, seen.mode)}"
    if seen.width:
        yield from _sides(seen.width, seen.height, smallest)


def _sides(width: int, height: int, smallest: Size | None) -> Iterator[tuple[str, str]]:
    found = f"found {width:,} x {height:,}"
    if smallest is not None and (width < smallest[0] or height < smallest[1]):
        yield SMALL, f"expected at least {smallest[0]:,} x {smallest[1]:,} pixels, {found}"
    if max(width, height) > ASPECT * min(width, height):
        yield LONG_AND_THIN, f"expected sides within {ASPECT} to 1, {found}"


def _mask(seen: ImageHeader) -> Iterator[tuple[str, str]]:
    if seen.format != "PNG":
        yield NO_PNG, f"expected a PNG, found {seen.format}"


def _beside(
    pointer: Pointer, look: Look, picture: ImageHeader | None, sequence: Sequence | None
) -> Iterator[Finding]:
    """Yield where an object disagrees with the one that its line is about."""
    if pointer.kind == "mask" and look.seen is not None and picture is not None:
        mask = look.seen
        if mask.width and picture.width and not _fits(mask.width, mask.height, picture):
            words = f"expected {_sized(picture)} as its picture has, found {mask.width:,} x {mask.height:,}"
            yield Finding(MASK_SIZE, pointer.path, words)
    if isinstance(look.document, SeqLabel):
        findings = seq_label_findings(look.document, pointer.class_map, sequence)
        yield from (Finding(code, pointer.path, words) for code, words in findings)


def _declared(declared: tuple[Declared, ...], picture: ImageHeader) -> Iterator[Finding]:
    for one in declared:
        if picture.width and not _fits(one.width, one.height, picture):
            words = (
                f"image_size is {one.width:,.10g} x {one.height:,.10g}, but the picture is {_sized(picture)}"
            )
            yield Finding(IMAGE_SIZE, one.path, words)


def _fits(width: float, height: float, picture: ImageHeader) -> bool:
    """Say whether a size is the picture's, as stored or as turned by its flag, as a browser shows it."""
    return (width, height) in ((picture.width, picture.height), picture.turned)


def _sized(picture: ImageHeader) -> str:
    return f"{picture.width:,} x {picture.height:,}"
