"""``filter`` on lines that have several of something, and on labels that are files."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.verbs.filter.conditions import MultiLabel
from manifest_tools.verbs.filter.filter import Filtered, filter
from tests.ground_truth import (
    FAILED,
    NAMES,
    UNLABELLED,
    boxes,
    cuboids,
    entities,
    lines_of,
    mask,
    multi,
    sequence,
    write,
)

Items = list[tuple[str, float]]


def several(picture: object, *found: tuple[str, float]) -> bytes:
    """Return a multi-label line; of a class that comes twice the last counts."""
    return multi(picture, **dict(found))


LINES: list[Any] = [
    pytest.param(boxes, id="boxes"),
    pytest.param(cuboids, id="cuboids"),
    pytest.param(entities, id="entities"),
    pytest.param(several, id="classes"),
]
Line = Callable[..., bytes]

items = st.lists(st.tuples(st.sampled_from(NAMES[:3]), st.sampled_from([0.1, 0.5, 0.8, 1.0])), max_size=4)
manifests = st.lists(items, min_size=1, max_size=8)


def kept(folder: str | Path, rows: list[bytes], **wanted: Any) -> tuple[list[bytes], Filtered]:
    path = write(Path(folder) / "in", *rows)
    found = filter(path, f"{folder}/out", **wanted, force=True, jobs=1)
    return [row.rstrip(b"\n") for row in lines_of(f"{folder}/out")], found


@pytest.mark.parametrize("line", LINES)
@given(manifests, st.sampled_from(["any", "all", "trim"]), st.sampled_from([(), ("RH",), ("RH", "LH")]))
def test_what_stays_is_what_one_would_pick_by_hand(
    line: Line, shown: list[Items], multilabel: MultiLabel, classes: tuple[str, ...]
) -> None:
    everything = [list({name: (name, sure) for name, sure in one}.values()) for one in shown]
    shown = everything if line is several else shown
    present = {name for one in shown for name, _ in one}
    rows = [line(at, *one) for at, one in enumerate(shown)]
    wanted: dict[str, Any] = {"min_confidence": 0.5, "zero_confidence": "drop", "multilabel": multilabel}
    wanted |= {"class_": classes}
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "in", *rows)
        if not present.issuperset(classes):
            with pytest.raises(Refused, match="no line has the class"):
                filter(path, f"{folder}/out", **wanted, jobs=1)
            return
        found = filter(path, f"{folder}/out", **wanted, jobs=1)
        left = [row.rstrip(b"\n") for row in lines_of(f"{folder}/out")]
    picked = [by_hand(one, multilabel, classes) for one in shown]
    assert left == [line(at, *one) for at, one in enumerate(picked) if one is not None]
    assert (found.kept, found.dropped) == (len(left), len(rows) - len(left))
    assert found.trimmed == sum(
        one is not None and one != whole for one, whole in zip(picked, shown, strict=True)
    )


def by_hand(one: Items, multilabel: str, classes: tuple[str, ...]) -> Items | None:
    """Return what stays of a line; None where it goes whole."""
    if multilabel == "trim":
        stay = [(name, sure) for name, sure in one if sure >= 0.5 and (not classes or name in classes)]
        return stay if stay or (not one and not classes) else None
    enough = all if multilabel == "all" else any
    if one and not enough(sure >= 0.5 for _, sure in one):
        return None
    return one if not classes or any(name in classes for name, _ in one) else None


@pytest.mark.parametrize("line", LINES)
def test_a_line_without_any_has_no_low_confidence_and_no_class(line: Line, tmp_path: Path) -> None:
    rows = [line(1), line(2, ("RH", 0.9))]
    for how in ("any", "all", "trim"):
        assert kept(tmp_path, rows, min_confidence=0.5, multilabel=how)[0] == rows
    for class_only in (None, "trim"):
        left, found = kept(tmp_path, rows, class_=("RH",), multilabel=class_only)
        assert (left, found.reasons) == (rows[1:], {"other class": 1})


@pytest.mark.parametrize(
    "needing", [{"multilabel": "any"}, {"multilabel": "all"}, {"empty": "drop"}, {"zero_confidence": "keep"}]
)
def test_what_needs_a_confidence_is_refused_without_one(needing: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Refused, match="has no effect without --min-confidence or --max-confidence"):
        kept(tmp_path, [multi(1, RH=0.9)], class_=("RH",), **needing)


@pytest.mark.parametrize("line", LINES)
def test_where_no_line_has_any_nothing_is_said_of_confidences(line: Line, tmp_path: Path) -> None:
    rows = [line(1), line(2)]
    assert kept(tmp_path, rows, min_confidence=0.5)[0] == rows
    with pytest.raises(Refused, match="no line has the class 'RH'; its classes: none"):
        kept(tmp_path, rows, class_=("RH",))


@pytest.mark.parametrize("line", LINES)
def test_zeros_alone_say_nothing_and_stop_the_run(line: Line, tmp_path: Path) -> None:
    rows = [line(1, ("RH", 0.0), ("LH", 0.0)), line(2), UNLABELLED, FAILED]
    with pytest.raises(Refused, match="every confidence is 0 or missing"):
        kept(tmp_path, rows, min_confidence=0.5)
    left, _ = kept(tmp_path, rows, min_confidence=0.5, zero_confidence="keep", multilabel="trim")
    assert left == rows[:2]
    left, found = kept(tmp_path, rows, min_confidence=0.5, zero_confidence="drop", multilabel="trim")
    assert (left, found.reasons) == (rows[1:2], {"confidence 0": 1, "unlabelled": 1, "failed": 1})


confident = st.sampled_from([0.0, 0.09, 0.3, 0.5, 1.0])


@pytest.mark.parametrize("line", LINES)
@given(
    confident, st.lists(st.integers(0, 3), min_size=1, max_size=6), st.sampled_from(["any", "all", "trim"])
)
def test_a_confidence_that_all_labels_share_never_drops_a_line_unasked(
    line: Line, confidence: float, counts: list[int], multilabel: MultiLabel
) -> None:
    rows = [
        line(at, *((name, confidence) for name in NAMES[:count] if count)) for at, count in enumerate(counts)
    ]
    assume(sum(counts) > 1)
    with TemporaryDirectory() as folder:
        left, found = kept(
            folder, rows, min_confidence=0.5, zero_confidence="keep", multilabel=multilabel, empty="keep"
        )
        assert (left, found.dropped) == (rows, 0)
        assert found.constant == (confidence or None)
        if confidence >= 0.5:
            assert kept(folder, rows, min_confidence=0.5, multilabel=multilabel)[0] == rows
            return
        with pytest.raises(
            Refused, match=f"every confidence is {confidence:g}.* type --zero-confidence keep"
        ):
            kept(folder, rows, min_confidence=0.5, multilabel=multilabel)
        dropped = [row for row, count in zip(rows, counts, strict=True) if not count]
        left, found = kept(folder, rows, min_confidence=0.5, multilabel=multilabel, zero_confidence="drop")
        assert left == dropped


@pytest.mark.parametrize("line", LINES)
def test_a_confidence_beside_another_one_says_something(line: Line, tmp_path: Path) -> None:
    rows = [line(1, ("RH", 0.09)), line(2, ("RH", 0.09)), line(3, ("RH", 0.08))]
    left, found = kept(tmp_path, rows, min_confidence=0.5, zero_confidence="keep")
    assert (left, found.reasons, found.constant) == ([], {"below confidence": 3}, None)


def test_the_confidence_of_a_single_box_is_believed(tmp_path: Path) -> None:
    left, found = kept(tmp_path, [boxes(1, ("RH", 0.09))], min_confidence=0.5)
    assert (left, found.reasons) == ([], {"below confidence": 1})


def test_lines_kept_without_the_confidence_asked_for_are_counted_by_reason(tmp_path: Path) -> None:
    rows = [boxes(1), boxes(2, ("RH", 0.9)), boxes(3, ("RH", 0.0)), boxes(4, ("RH", 0.4))]
    left, found = kept(tmp_path, rows, min_confidence=0.5, zero_confidence="keep")
    assert left == rows[:3]
    assert found.without_confidence == {"no box": 1, "confidence 0": 1}
    left, found = kept(tmp_path, rows, min_confidence=0.5, empty="drop")
    assert (left, found.without_confidence) == ([rows[1]], {})
    assert found.reasons == {"no box": 1, "confidence 0": 1, "below confidence": 1}


@pytest.mark.parametrize("multilabel", ["any", "trim"])
def test_where_only_lines_without_boxes_would_be_kept_one_must_choose(
    multilabel: MultiLabel, tmp_path: Path
) -> None:
    rows = [boxes(1), boxes(2, ("RH", 0.4)), boxes(3, ("RH", 0.3))]
    with pytest.raises(
        Refused, match=r"no box has a confidence of 0\.5 or more, so only lines without any box"
    ):
        kept(tmp_path, rows, min_confidence=0.5, multilabel=multilabel)
    left, found = kept(tmp_path, rows, min_confidence=0.5, empty="keep", multilabel=multilabel)
    assert (left, found.only_empty) == (rows[:1], "no box")
    left, found = kept(tmp_path, rows, min_confidence=0.5, empty="drop", multilabel=multilabel)
    assert (left, found.reasons, found.only_empty) == ([], {"no box": 1, "below confidence": 2}, "")


def test_a_box_leaves_the_class_map_with_the_last_of_its_class(tmp_path: Path) -> None:
    row = boxes(1, ("RH", 0.9), ("LH", 0.2), ("RH", 0.1))
    left, _ = kept(tmp_path, [row], min_confidence=0.5, multilabel="trim")
    assert left == [boxes(1, ("RH", 0.9))]


def test_a_class_that_no_box_had_stays_in_the_class_map(tmp_path: Path) -> None:
    row = boxes(1, ("RH", 0.9), ("LH", 0.2), **{"class-map": {"0": "RH", "1": "LH", "4": "dent"}})
    left, _ = kept(tmp_path, [row], min_confidence=0.5, multilabel="trim")
    assert left == [boxes(1, ("RH", 0.9), **{"class-map": {"0": "RH", "4": "dent"}})]


def test_a_box_without_object_has_no_confidence(tmp_path: Path) -> None:
    row = boxes(1, ("RH", 0.9), ("LH", 0.9)).replace(b', {"confidence": 0.9}]', b"]")
    left, found = kept(tmp_path, [row, row], min_confidence=0.5, multilabel="all")
    assert (left, found.reasons) == ([], {"no confidence": 2})
    left, _ = kept(tmp_path, [row], min_confidence=0.5, multilabel="trim")
    assert json.loads(left[0])["kind"] == json.loads(boxes(1, ("RH", 0.9)))["kind"]


def test_the_confidence_of_a_mask_is_that_of_the_picture(tmp_path: Path) -> None:
    rows = [mask(1, "RH"), mask(2, "RH", "LH", confidence=0.3), mask(3, confidence=0.1)]
    left, found = kept(tmp_path, rows, min_confidence=0.5)
    assert (left, found.reasons) == ([rows[0], rows[2]], {"below confidence": 1})


@pytest.mark.parametrize("twin", ["kind-ref-metadata", "kind-metadata"])
def test_the_classes_of_a_mask_are_those_of_its_colours(tmp_path: Path, twin: str) -> None:
    rows = [mask(1, "RH", twin=twin), mask(2, "RH", "LH", twin=twin), mask(3, twin=twin)]
    left, found = kept(tmp_path, rows, class_=("LH",))
    assert (left, found.reasons) == ([rows[1]], {"other class": 2})


def test_the_classes_of_a_video_are_those_of_its_map(tmp_path: Path) -> None:
    rows = [sequence(1, "RH"), sequence(2, "RH", "LH"), sequence(3)]
    assert kept(tmp_path, rows, class_=("LH",))[0] == [rows[1]]
    with pytest.raises(Refused, match="kind-ref is video-object-tracking and has no confidence on its lines"):
        kept(tmp_path, rows, min_confidence=0.5)


BOX, ENTITY = boxes(1, ("RH", 0.9)), entities(1, ("RH", 0.9))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(
            BOX.replace(b'"class_id": 0', b'"class_id": -1'), "expected a class index from 0", id="below 0"
        ),
        pytest.param(BOX.replace(b'"0": "RH"', b'"RH": "0"'), "expected a class index", id="map upside down"),
        pytest.param(BOX.replace(b"[{", b"[[{", 1), "not JSON", id="a bracket too many"),
        pytest.param(BOX.replace(b'{"class_id": 0', b'["class_id", {"x": 0', 1), "not JSON", id="no object"),
        pytest.param(
            ENTITY.replace(b'{"label": "RH"}', b'{"label": "x"}', 1),
            "expected an entity of a class in labels, found 'RH'",
            id="an unknown category",
        ),
    ],
)
def test_a_label_that_is_none_is_named(tmp_path: Path, row: bytes, message: str) -> None:
    good = entities(0, ("RH", 0.9)) if b"text-span" in row else boxes(0, ("RH", 0.9))
    with pytest.raises(InvalidLine, match=f"in:2: .*{message}"):
        kept(tmp_path, [good, row], class_=("RH",))
