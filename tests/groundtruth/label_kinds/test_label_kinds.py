import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.groundtruth.classes import MOST_CLASSES, class_index
from manifest_tools.groundtruth.label_kinds import CUSTOM, KINDS, TYPES, LabelKind, label_kind
from manifest_tools.groundtruth.label_schemas import FIELDS, LABELS
from manifest_tools.groundtruth.record import Peek, Row, decoder

SINGLE = label_kind("groundtruth/image-classification")
MULTI = label_kind("groundtruth/image-classification-multilabel")


def row(kind: LabelKind, label: Any, metadata: dict[str, Any] | None = None) -> Row:
    """Return a row as verbs decode it for the type, with all the fields that its label kind asks for."""
    line = {"k": label} | ({} if metadata is None else {"k-metadata": metadata})
    fields = tuple(dict.fromkeys((*kind.class_fields, *kind.confidence_fields)))
    return decoder(Peek("k", "k-metadata", kind.schema, fields)).decode(json.dumps(line))


def read(type_name: str, label: Any, metadata: dict[str, Any] | None = None) -> tuple[Any, Any, Any]:
    """Return indices, names and confidences of a label."""
    kind = label_kind(f"groundtruth/{type_name}")
    found = row(kind, label, metadata)
    return kind.indices(found), kind.names(found), kind.confidences(found)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_the_table_has_a_kind_that_lines_are_decoded_for(name: str) -> None:
    kind = label_kind(name)
    assert kind.schema in LABELS
    assert {*kind.class_fields, *kind.confidence_fields} <= set(FIELDS)
    assert kind.has_classes == (name != "groundtruth/custom")
    assert kind.multi_label == name.endswith("multilabel")
    assert kind.is_classification == ("classification" in name or "verification" in name)
    assert label_kind(name.upper()) is kind


@pytest.mark.parametrize(
    "name", ["", "groundtruth/custom", "groundTruth/custom", "image-classification", "boxes"]
)
def test_any_other_type_passes_through_unread(name: str) -> None:
    kind = label_kind(name)
    assert (kind.schema, kind.has_classes, kind.multi_label, kind.is_classification) == (
        "any",
        False,
        False,
        False,
    )
    for label in ([1], 1, {"annotations": [{"class_id": "x"}]}, "s3://b/k"):
        found = row(kind, label, {"class-map": 5})
        assert (kind.indices(found), kind.names(found), kind.confidences(found)) == ((), (), ())


def box(class_id: Any) -> dict[str, Any]:
    return {"class_id": class_id, "left": 1, "top": 2.5, "width": 3, "height": 4}


def boxes(*classes: Any) -> dict[str, Any]:
    return {"image_size": [{"width": 640, "height": 480, "depth": 3}], "annotations": [*map(box, classes)]}


def entities(*labels: str, categories: tuple[str, ...] = ("Person", "Place")) -> dict[str, Any]:
    spans = [{"label": label, "startOffset": n, "endOffset": n + 1} for n, label in enumerate(labels)]
    return {"annotations": {"entities": spans, "labels": [{"label": name} for name in categories]}}


def cuboids(*classes: Any) -> dict[str, Any]:
    return {"annotations": [{"class-id": one, "object-name": "Car:1", "center-x": 0.1} for one in classes]}


def confidences_of(*values: Any) -> list[dict[str, Any]]:
    return [{} if value is None else {"confidence": value} for value in values]


def colours(*names: str, confidence: float = 0.7) -> dict[str, Any]:
    named = enumerate(names)
    return {str(n): {"class-name": name, "hex-color": "#fff", "confidence": confidence} for n, name in named}


MAP = {"0": "dog", "3": "cat"}
SHOWN: list[tuple[str, str, Any, dict[str, Any] | None, tuple[Any, Any, Any]]] = [
    (
        "one class",
        "image-classification",
        "1",
        {"class-name": "LH", "confidence": 0.7},
        ((1,), ((1, "LH"),), (0.7,)),
    ),
    ("one class without metadata", "text-classification", 1, None, ((1,), (), (None,))),
    ("a confidence of 0 is one", "video-classification", 0, {"confidence": 0}, ((0,), (), (0.0,))),
    (
        "a verification with a comment",
        "label-verification",
        "1",
        {"class-name": "bad", "confidence": 0.9, "worker-feedback": [{"comment": "x"}]},
        ((1,), ((1, "bad"),), (0.9,)),
    ),
    (
        "several classes in the order of the label",
        "image-classification-multilabel",
        [3, "0"],
        {"class-map": MAP, "confidence-map": {"0": 0.9, "3": 0.2}},
        ((3, 0), ((0, "dog"), (3, "cat")), (0.2, 0.9)),
    ),
    (
        "maps that name other classes than the label",
        "text-classification-multilabel",
        [1],
        {"class-map": {"5": "fog"}, "confidence-map": {"5": 0.9}},
        ((1,), ((5, "fog"),), (None,)),
    ),
    ("no class and no maps", "image-classification-multilabel", [], None, ((), (), ())),
    (
        "boxes, one of a class that comes twice",
        "object-detection",
        boxes(3, "0", 3),
        {"class-map": MAP, "objects": confidences_of(0.5, 0, 0.25)},
        ((3, 0, 3), ((0, "dog"), (3, "cat")), (0.5, 0.0, 0.25)),
    ),
    ("an image without a box", "object-detection", boxes(), {"class-map": {}, "objects": []}, ((), (), ())),
    (
        "an image without a box that names the classes of the job",
        "object-detection",
        boxes(),
        {"class-map": MAP, "objects": []},
        ((), ((0, "dog"), (3, "cat")), ()),
    ),
    ("boxes without metadata", "object-detection", boxes(0, 1), None, ((0, 1), (), (None, None))),
    (
        "fewer objects than boxes",
        "object-detection",
        boxes(0, 1),
        {"objects": confidences_of(0.5)},
        ((0, 1), (), (0.5, None)),
    ),
    (
        "more objects than boxes",
        "object-detection",
        boxes(0),
        {"objects": confidences_of(0.5, 0.6)},
        ((0,), (), (0.5,)),
    ),
    (
        "an object without confidence",
        "object-detection",
        boxes(0),
        {"objects": confidences_of(None)},
        ((0,), (), (None,)),
    ),
    (
        "entities in their order, not that of the text",
        "text-span",
        entities("Place", "Person", "Place"),
        {"entities": confidences_of(0, 0.5, 0.6)},
        ((1, 0, 1), ((0, "Person"), (1, "Place")), (0.0, 0.5, 0.6)),
    ),
    ("a text without an entity", "text-span", entities(), {}, ((), ((0, "Person"), (1, "Place")), ())),
    (
        "cuboids, named in class_map",
        "point_cloud_object_detection",
        cuboids(3, "0"),
        {"class_map": MAP, "objects": []},
        ((3, 0), ((0, "dog"), (3, "cat")), (None, None)),
    ),
    (
        "cuboids, named in class-map",
        "point_cloud_object_detection",
        cuboids(0),
        {"class-map": MAP, "objects": confidences_of(0.4)},
        ((0,), ((0, "dog"), (3, "cat")), (0.4,)),
    ),
    (
        "a mask, whose background is no class",
        "semantic-segmentation",
        "s3://b/0.png",
        {"internal-color-map": colours("BACKGROUND", "road", "sky")},
        ((1, 2), ((0, "BACKGROUND"), (1, "road"), (2, "sky")), (0.7, 0.7)),
    ),
    (
        "a mask of nothing but background",
        "semantic-segmentation",
        "s3://b/0.png",
        {"internal-color-map": colours("BACKGROUND")},
        ((), ((0, "BACKGROUND"),), ()),
    ),
    ("a mask without a map", "semantic-segmentation", "s3://b/0.png", {}, ((), (), ())),
    (
        "points, in their other map",
        "point_cloud_single_frame_semantic_segmentation",
        "s3://b/0.zlib",
        {"color-map": colours("Background", "Car", confidence=0)},
        ((1,), ((0, "Background"), (1, "Car")), (0.0,)),
    ),
    (
        "frames of a video, the classes of its map",
        "video-object-detection",
        "s3://b/SeqLabel.json",
        {"class-map": MAP, "objects": [{"frame-no": 0, "confidence": []}]},
        ((0, 3), ((0, "dog"), (3, "cat")), (None, None)),
    ),
    (
        "frames of point clouds",
        "point_cloud_object_tracking",
        "s3://b/SeqLabel.json",
        {"class-map": MAP, "objects": [{"frame-no": 0, "confidence": []}]},
        ((0, 3), ((0, "dog"), (3, "cat")), (None, None)),
    ),
    ("frames without a map", "video-object-tracking", "s3://b/SeqLabel.json", None, ((), (), ())),
]


@pytest.mark.parametrize(
    ("kind", "label", "metadata", "shown"), [pytest.param(*case[1:], id=case[0]) for case in SHOWN]
)
def test_what_a_label_shows(kind: str, label: Any, metadata: Any, shown: tuple[Any, Any, Any]) -> None:
    assert read(kind, label, metadata) == shown


def test_every_kind_is_in_the_table_above() -> None:
    assert {label_kind(f"groundtruth/{case[1]}").name for case in SHOWN} == {*KINDS} - {CUSTOM}


@pytest.mark.parametrize(
    ("kind", "label", "metadata", "message"),
    [
        ("object-detection", boxes(0, -1), {}, "expected a class index from 0, found -1"),
        ("object-detection", boxes(None), {}, "expected a class index from 0, found None"),
        ("object-detection", boxes("dog"), {}, "expected a class index from 0, found 'dog'"),
        (
            "object-detection",
            boxes(),
            {"class-map": {"dog": "0"}},
            "expected a class index from 0, found 'dog'",
        ),
        ("point_cloud_object_detection", cuboids("1.0"), {}, "expected a class index from 0, found '1.0'"),
        ("text-span", entities("Thing"), {}, "expected an entity of a class in labels, found 'Thing'"),
        (
            "text-span",
            entities("Thing", categories=()),
            {},
            "expected an entity of a class in labels, found 'Thing'",
        ),
        (
            "semantic-segmentation",
            "s3://b/k",
            {"internal-color-map": {"#fff": {"class-name": "x"}}},
            "expected a class index from 0, found '#fff'",
        ),
        (
            "video-object-detection",
            "s3://b/k",
            {"class-map": {"a": "b"}},
            "expected a class index from 0, found 'a'",
        ),
        (
            "image-classification-multilabel",
            [0],
            {"class-map": {"fog": "0"}},
            "expected a class index from 0, found 'fog'",
        ),
    ],
    ids=str,
)
def test_a_label_that_is_none_is_a_value_error_of_one_line(
    kind: str, label: Any, metadata: Any, message: str
) -> None:
    with pytest.raises(ValueError) as raised:
        read(kind, label, metadata)
    assert str(raised.value) == message


CATEGORIES = tuple(f"c{n}" for n in range(10))
ids = st.integers(0, 9)
several: list[tuple[str, Callable[[list[Any]], Any], str]] = [
    ("object-detection", lambda found: boxes(*found), "objects"),
    ("point_cloud_object_detection", lambda found: cuboids(*found), "objects"),
    ("text-span", lambda found: entities(*(f"c{one}" for one in found), categories=CATEGORIES), "entities"),
]


@pytest.mark.parametrize(("kind", "form", "where"), several, ids=[kind for kind, _, _ in several])
@given(st.lists(ids, max_size=8), st.lists(st.none() | st.floats(0, 1), max_size=10))
def test_of_several_there_is_an_index_and_a_confidence_each_in_their_order(
    kind: str, form: Callable[[list[Any]], Any], where: str, found: list[int], sure: list[float | None]
) -> None:
    indices, _, confidences = read(kind, form(found), {where: confidences_of(*sure)})
    assert indices == tuple(found)
    padded = [*sure, *[None] * len(found)]
    assert confidences == tuple(padded[: len(found)])


@given(st.integers(0, MOST_CLASSES - 1))
def test_an_index_is_the_same_as_number_and_as_digits(index: int) -> None:
    assert class_index(index) == class_index(str(index)) == index
    assert SINGLE.indices(row(SINGLE, str(index))) == (index,)


@pytest.mark.parametrize(
    "label",
    [
        -1,
        MOST_CLASSES,
        10**400,
        "-1",
        "",
        " 1",
        "1 ",
        "1.0",
        "+1",
        "1_0",
        "٣",
        "²",
        "0x1",
        "RH",
        "9" * 5000,
        "1\n",
    ],
    ids=repr,
)
def test_what_is_no_index_is_a_value_error_of_one_line(label: int | str) -> None:
    if label == 10**400:  # msgspec reads no such number; whoever decodes otherwise may hand one over
        labels: list[Callable[[], object]] = [lambda: class_index(label)]
    else:
        labels = [
            lambda: SINGLE.indices(row(SINGLE, label)),
            lambda: MULTI.indices(row(MULTI, [0, label])),
            lambda: read("object-detection", boxes(0, label)),
        ]
    for indices in labels:
        with pytest.raises(ValueError) as raised:
            indices()
        assert "\n" not in str(raised.value)


def test_a_very_long_label_is_not_repeated_whole() -> None:
    with pytest.raises(ValueError) as raised:
        class_index("x" * 1_000_000)
    assert len(str(raised.value)) < 1000
