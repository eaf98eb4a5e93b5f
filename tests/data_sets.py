"""Data sets of labelled pictures as hypothesis draws them, for the laws of formats."""

from hypothesis import strategies as st
from msgspec.structs import replace

from manifest_tools.groundtruth.annotations import (
    Box,
    DataSet,
    Mask,
    Picture,
    PictureLabelKind,
    Provenance,
    StreamedPictures,
)
from manifest_tools.groundtruth.classes import ClassTable

numbers = st.integers(0, 10**12) | st.floats(0, 1e12)
confidences = st.sampled_from([0, 1]) | st.floats(0, 1)
_parts = st.text("abXY1 #%é☺.-_", min_size=1, max_size=8).filter(lambda part: part.strip("."))
keys = st.lists(_parts, min_size=1, max_size=3).map("/".join)
s3_refs = st.builds("s3://{}/{}".format, st.sampled_from(["raw", "raw", "other"]), keys)
provenances = st.builds(
    Provenance,
    st.none() | st.text(max_size=8),
    st.none() | st.sampled_from(["yes", "no"]),
    st.none() | st.just("2024-03-01T10:00:00.000001"),
)


@st.composite
def tables(draw: st.DrawFn) -> ClassTable:
    """Draw a class table, perhaps with gaps."""
    indices = draw(st.sets(st.integers(0, 40), min_size=1, max_size=5))
    names = draw(st.lists(st.text(min_size=1, max_size=8), unique=True, min_size=5, max_size=5))
    return ClassTable(tuple(zip(sorted(indices), names, strict=False)))


@st.composite
def pictures(
    draw: st.DrawFn, kind: PictureLabelKind, table: ClassTable, number: int, inside: bool = False
) -> Picture:
    """Draw a picture with a label of a kind; only boxes come with a size, perhaps all ``inside``."""
    ref, provenance = draw(s3_refs), draw(provenances)
    indices = st.sampled_from([index for index, _ in table.names])
    if kind == "single_label":
        one = draw(st.just(()) | st.tuples(confidences))
        return Picture(number, ref, classes=(draw(indices),), confidences=one, provenance=provenance)
    if kind == "multi_label":
        classes = tuple(draw(st.lists(indices, unique=True, max_size=4)))
        some = draw(st.lists(st.none() | confidences, min_size=len(classes), max_size=len(classes)))
        sure = () if set(some) <= {None} else tuple(some)
        return Picture(number, ref, classes=classes, confidences=sure, provenance=provenance)
    if kind == "segmentation":
        colours = tuple((index, f"#{index:06x}") for index, _ in table.names)
        return Picture(
            number, ref, mask=Mask(f"{ref}.png", colours, draw(confidences)), provenance=provenance
        )
    edges, sizes = numbers, st.none() | st.tuples(numbers, numbers)
    if inside:
        edges, sizes = st.integers(0, 300) | st.floats(0, 300), st.tuples(*[st.integers(600, 4000)] * 2)
    boxes = st.builds(Box, indices, edges, edges, edges, edges, st.none() | confidences)
    return Picture(
        number,
        ref,
        size=draw(sizes),
        depth=draw(st.sampled_from([None, 1, 3])),
        boxes=tuple(draw(st.lists(boxes, max_size=3))),
        provenance=provenance,
    )


@st.composite
def data_sets(draw: st.DrawFn, *kinds: PictureLabelKind, inside: bool = False) -> DataSet:
    """Draw a data set of one part or two, with labels of one of these kinds; boxes perhaps all ``inside``."""
    kind, table = draw(st.sampled_from(kinds)), draw(tables())
    names = draw(st.sampled_from([("",), ("train", "validation")]))
    parts = {}
    for name in names:
        count = draw(st.integers(1, 4))
        found = [draw(pictures(kind, table, number, inside)) for number in range(1, count + 1)]
        parts[name] = StreamedPictures(found.copy)
    return DataSet(table, kind, parts, draw(st.sampled_from(["label", "two-parts"])))


def shown(data: DataSet) -> dict[str, list[str]]:
    """Return the pictures of every part as text, in which 1 and 1.0 differ."""
    return {name: list(map(repr, part)) for name, part in data.parts.items()}


def rounded(data: DataSet, digits: int = 6) -> dict[str, list[Picture]]:
    """Return the pictures of every part, with the edges of their boxes rounded."""
    return {name: [_rounded(picture, digits) for picture in part] for name, part in data.parts.items()}


def _rounded(picture: Picture, digits: int) -> Picture:
    boxes = [
        replace(
            box,
            left=round(float(box.left), digits),
            top=round(float(box.top), digits),
            width=round(float(box.width), digits),
            height=round(float(box.height), digits),
        )
        for box in picture.boxes
    ]
    return replace(picture, boxes=tuple(boxes))
