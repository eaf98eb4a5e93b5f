import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import MtoolError
from manifest_tools.formats.label_studio import read
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import Box, Provenance
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from tests.label_studio_tasks import NO_OPTIONS, answered, choice, pictures, rectangle, tasks


def config(folder: Path, text: str) -> None:
    """Write the labelling config beside the tasks."""
    path = folder / "export.config.xml"
    path.write_text(f'<View><Image name="img" value="$photo"/>{text}</View>')


def test_the_last_answer_counts_that_was_not_skipped(tmp_path: Path) -> None:
    task = answered()
    task["annotations"] = [
        {"result": [choice("a")], "was_cancelled": False},
        {"result": [choice("b")], "created_at": "2026-01-01T00:00:00Z"},
        {"result": [choice("c")], "was_cancelled": True},
    ]
    true = answered() | {
        "annotations": [{"result": [choice("a")], "ground_truth": True}, {"result": [choice("b")]}]
    }
    skipped = answered(was_cancelled=True) | {"predictions": [3]}
    found = read(tasks(tmp_path, task, true, skipped), NO_OPTIONS)
    assert found.table.names == ((0, "a"), (1, "b"))
    assert [(one.classes, one.labelled) for one in found.parts[""]] == [
        ((1,), True),
        ((0,), True),
        ((), False),
    ]
    assert found.lost == {"answers of further people": 2}
    assert found.remarks[0].endswith("tasks without a label: 1 skipped")
    assert next(iter(found.parts[""])).provenance == Provenance(None, "yes", "2026-01-01T00:00:00Z")


def test_regions_become_boxes_and_the_rest_is_counted(tmp_path: Path) -> None:
    polygon = rectangle() | {"type": "polygonlabels", "from_name": "poly"}
    polygon["value"] = {"points": [[0, 0], [50, 0], [50, 100]], "polygonlabels": ["cat"]}
    task = answered(
        rectangle(score=0.5),
        polygon,
        rectangle(x=50, y=0, width=20, height=40, rotation=90),
        rectangle(None),
        rectangle()
        | {"type": "brushlabels", "value": {"format": "rle", "rle": [1, 2], "brushlabels": ["x"]}},
        {"type": "relation", "from_id": "a", "to_id": "b"},
        {"type": "textarea", "from_name": "note", "value": {"text": ["hello"]}},
    )
    found = read(tasks(tmp_path, task, answered(image="s3://raw/2.jpg")), NO_OPTIONS)
    first, second = found.parts[""]
    assert (found.label_kind, found.attribute, found.table.names) == (
        "boxes",
        "bbox",
        ((0, "cat"), (1, "dog")),
    )
    assert first.size == (200, 100)
    assert first.boxes == (
        Box(1, 20, 20, 60, 40, 0.5),
        Box(0, 0, 0, 100, 100, outline=((0, 0, 100, 0, 100, 100),)),
        Box(1, 60, 0, 40, 40),
    )
    assert (second.boxes, second.labelled) == ((), True)
    assert found.lost == {
        "brush masks": 1,
        "regions without a class": 1,
        "relations between regions": 1,
        "results of type textarea": 1,
        "rotations of boxes": 1,
    }


def test_a_config_beside_says_order_picture_and_control(tmp_path: Path) -> None:
    config(
        tmp_path,
        '<Choices name="kind" toName="img"><Choice value="z"/><Choice value="nice name" alias="a"/></Choices>'
        '<Choices name="light" toName="img"><Choice value="day"/></Choices>',
    )
    task = {
        "data": {"photo": "s3://raw/1.jpg", "image": "no"},
        "annotations": [{"result": [choice("a"), choice("day", from_name="light")]}],
    }
    found = read(tasks(tmp_path, task), ReadOptions(label_attribute="kind"))
    assert found.table.names == ((0, "z"), (1, "a"))
    assert [(one.ref, one.classes) for one in found.parts[""]] == [("s3://raw/1.jpg", (1,))]
    assert (found.attribute, found.lost) == ("kind", {"results of the control light": 1})
    given = ReadOptions(label_attribute="kind", classes=ClassTable(((0, "a"), (7, "z"))))
    assert [one.classes for one in read(tasks(tmp_path, task), given).parts[""]] == [(0,)]


def test_several_choices_make_several_classes(tmp_path: Path) -> None:
    place = tasks(tmp_path, answered(choice("b", "a", "b")), answered(choice("a")), answered())
    found = read(place, ReadOptions(label_attribute="label"))
    assert (found.label_kind, found.attribute) == ("multi_label", "label")
    assert [one.classes for one in found.parts[""]] == [(1, 0), (0,), ()]


def test_json_min_is_read_as_the_full_export(tmp_path: Path) -> None:
    box = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["dog"]}
    record = {
        "image": "s3://raw/1.jpg",
        "id": 4,
        "annotator": 1,
        "annotation_id": 9,
        "lead_time": 1.5,
        "bbox": [box | {"original_width": 200, "original_height": 100}],
    }
    empty = {"image": "s3://raw/2.jpg", "id": 5, "annotator": 1, "annotation_id": 10}
    unanswered = {"image": "s3://raw/3.jpg", "id": 6}
    again = record | {"annotation_id": 11, "bbox": []}
    found = read(tasks(tmp_path, record, empty, unanswered), NO_OPTIONS)
    assert [(one.boxes, one.labelled) for one in found.parts[""]] == [
        ((Box(0, 20, 20, 60, 40),), True),
        ((), True),
        ((), False),
    ]
    twice = read(tasks(tmp_path, again, record, empty), NO_OPTIONS)
    assert [len(one.boxes) for one in twice.parts[""]] == [1, 0]
    assert twice.lost == {"answers of further people": 1}


@pytest.mark.parametrize(
    ("value", "classes"),
    [("b", (1,)), ({"choices": ["b", "a"]}, (1, 0)), (["a"], (0,))],
    ids=["one", "two", "list"],
)
def test_choices_of_json_min(tmp_path: Path, value: Any, classes: tuple[int, ...]) -> None:
    config(tmp_path, '<Choices name="kind" toName="img"><Choice value="a"/><Choice value="b"/></Choices>')
    record = {"photo": "s3://raw/1.jpg", "caption": "a", "id": 4, "annotation_id": 9, "kind": value}
    assert [one.classes for one in pictures(tasks(tmp_path, record))] == [classes]


@pytest.mark.parametrize(
    ("url", "prefix", "ref"),
    [
        pytest.param("s3://raw/a b//1.jpg", "s3://x", "s3://raw/a b//1.jpg", id="S3"),
        pytest.param("/data/upload/3/ab-1.jpg", "", "upload/3/ab-1.jpg", id="an upload"),
        pytest.param("/data/local-files/?d=a%20b/1.jpg", "s3://x/y", "s3://x/y/a b/1.jpg", id="a file"),
        pytest.param("left\\1.jpg", "", "left/1.jpg", id="a Windows path"),
        pytest.param("https://h/a%20b/1.jpg?sig=1", "s3://x", "s3://x/a b/1.jpg", id="the web"),
    ],
)
def test_a_picture_is_named_as_a_manifest_can(tmp_path: Path, url: str, prefix: str, ref: str) -> None:
    place = tasks(tmp_path, answered(choice("a"), image=url))
    assert [one.ref for one in pictures(place, ReadOptions(prefix))] == [ref]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        pytest.param("{}", "expected a JSON array", id="no array"),
        pytest.param("[]", "expected tasks, found none", id="nothing"),
        pytest.param("[1]", "task 1: expected a task of Label Studio", id="a number"),
        pytest.param("[" * 10**5, "found the end of the file|expected a task", id="deep"),
        pytest.param('[{"data": {"image": ' + "[" * 10**5 + "]" * 10**5 + "}}]", "task 1", id="deep inside"),
        pytest.param([{"data": {"a": "x", "b": "y"}}], "task 1: expected a picture", id="nothing in it"),
        pytest.param([{"data": {"image": "s3://b/1"}}, {"data": {}}], "task 2: expected a", id="later"),
        pytest.param([answered(image="../1.jpg")], "expected a picture below a folder", id="a way out"),
        pytest.param([answered(image="C:\\1.jpg")], "expected a picture below a folder", id="a drive"),
        pytest.param([answered(image="https://h/1.jpg")], "type --source-prefix s3://BUCKET", id="the web"),
        pytest.param([answered(choice("a"), rectangle())], "type --label-attribute kind", id="two controls"),
        pytest.param(
            [answered(rectangle(original_width=None))], "task 1: expected original_width", id="no size"
        ),
        pytest.param(
            [answered(rectangle(original_width=-5))], "width and height of a picture, found -5", id="a lie"
        ),
        pytest.param([answered(rectangle(x=1e300))], "in percent, found 1e", id="a huge share"),
        pytest.param([answered(rectangle(width=None))], "only some of them", id="no width"),
        pytest.param([answered(rectangle(x="1"))], "task 1: expected a task", id="a text for a number"),
        pytest.param([answered(choice(["a", 5]))], "the names of choices", id="a number for a name"),  # type: ignore[arg-type]
        pytest.param(
            [{"data": {"image": "s3://b/1", "ground_truth": 5}}], "task 1: ground_truth: ", id="nonsense"
        ),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(tmp_path: Path, found: Any, message: str) -> None:
    place = tmp_path / "a.json"
    place.write_text(found if isinstance(found, str) else json.dumps(found))
    with pytest.raises(MtoolError, match=message) as refused:
        pictures(str(place))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("<View>", "export.config.xml: expected XML", id="cut off"),
        pytest.param(
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><View>&b;</View>',
            "without a DTD",
            id="a bomb",
        ),
        pytest.param("<a>" * 100 + "</a>" * 100, "at most 64 elements in one another", id="deep"),
        pytest.param("<View><Choices/></View>", "expected a name of each Choices", id="no name"),
        pytest.param(
            '<View><Choices name="kind"><Choice value="a"/><Choice value="a" category="7"/></Choices></View>',
            "export.config.xml: class 'a' has two indices",
            id="a class twice",
        ),
        pytest.param(
            '<View><Choices name="kind"><Choice value="b"/></Choices></View>',
            "export.json: .*config.xml does not list the class 'a'; add it",
            id="a class less",
        ),
    ],
)
def test_a_config_that_cannot_be_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "export.config.xml").write_text(text)
    with pytest.raises(MtoolError, match=message) as refused:
        pictures(tasks(tmp_path, answered(choice("a"))))
    assert "\n" not in str(refused.value)


def test_two_tables_that_disagree_are_refused(tmp_path: Path) -> None:
    config(tmp_path, '<Choices name="kind" toName="img"><Choice value="a" category="1"/></Choices>')
    given = ReadOptions(classes=ClassTable(((0, "a"),)))
    with pytest.raises(ClassConflict, match=r"export.config.xml and --classes disagree"):
        read(tasks(tmp_path, answered(choice("a"))), given)


def test_a_large_export_is_read_task_by_task(tmp_path: Path) -> None:
    task = json.dumps(answered(choice("a"), image=f"s3://raw/{'x' * 1000}.jpg"))
    place = tmp_path / "a.json"
    place.write_text("[" + ",".join([task] * 30_000) + "]")
    tracemalloc.start()
    count = sum(1 for _ in read(str(place), NO_OPTIONS).parts[""])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 30_000
    assert peak < place.stat().st_size / 2
