import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import MtoolError
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.rekognition import read
from manifest_tools.groundtruth.annotations import Provenance
from manifest_tools.groundtruth.classes import ClassTable
from tests.ground_truth import boxes, line, lines_of, multi, write

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
NO_OPTIONS = ReadOptions()


def sports(picture: object, *names: str, **changes: Any) -> bytes:
    """Return a line as Rekognition's documents have it: sport0, sport1... each with a class."""
    line: dict[str, Any] = {"source-ref": f"s3://raw/{picture}.jpg"}
    for number, name in enumerate(names):
        metadata = {
            "class-name": name,
            "confidence": number / 2,
            "type": "groundtruth/image-classification",
            "job-name": "identify-sport",
            "human-annotated": "yes",
            "creation-date": "2018-10-18T22:18:13.527256",
        }
        line |= {f"sport{number}": 7, f"sport{number}-metadata": metadata | changes}
    return json.dumps(line).encode()


def manifest(folder: Path, *lines: bytes) -> str:
    return write(folder / "a.manifest", *lines)


def test_several_attributes_become_several_classes(tmp_path: Path) -> None:
    place = manifest(tmp_path, sports(1, "tennis", "golf"), sports(2, "golf"), sports(3))
    found = read(place, NO_OPTIONS)
    assert (found.label_kind, found.attribute) == ("multi_label", "sport")
    assert found.table.names == ((0, "golf"), (1, "tennis"))
    pictures = list(found.parts[""])
    assert [(one.number, one.classes, one.confidences, one.labelled) for one in pictures] == [
        (1, (1, 0), (0, 0.5), True),
        (2, (0,), (0,), True),
        (3, (), (), False),
    ]
    assert pictures[0].provenance == Provenance("identify-sport", "yes", "2018-10-18T22:18:13.527256")
    assert found.remarks == (f"{place}: 1 line without a class, and so without a label",)


def test_one_attribute_a_line_is_one_class_whatever_its_number(tmp_path: Path) -> None:
    place = manifest(tmp_path, sports(1, "tennis"), sports(2, "golf", job_name=None), sports(3, 'a, "b"'))
    found = read(place, ReadOptions(label_attribute="kind", classes=ClassTable(((4, "golf"),))))
    assert (found.label_kind, found.attribute) == ("single_label", "kind")
    assert [one.classes for one in found.parts[""]] == [(6,), (4,), (5,)]


def test_a_class_that_is_there_twice_is_there_once(tmp_path: Path) -> None:
    found = read(manifest(tmp_path, sports(1, "golf", "golf")), NO_OPTIONS)
    assert (found.label_kind, [one.classes for one in found.parts[""]]) == ("single_label", [(0,)])


def test_boxes_are_as_they_are_elsewhere(tmp_path: Path) -> None:
    place = manifest(tmp_path, boxes(1, ("LH", 0.5)), boxes(2), sports(3))
    found = read(place, NO_OPTIONS)
    assert (found.label_kind, found.attribute, found.table.name(1)) == ("boxes", "kind", "LH")
    assert [len(one.boxes) for one in found.parts[""]] == [1, 0]
    assert found.remarks == (f"{place}: left out, without boxes: 1 unlabelled",)


def test_labels_of_other_types_are_counted(tmp_path: Path) -> None:
    both = sports(1, "golf")[:-1] + b"," + multi(1, RH=0.5)[1:]
    found = read(manifest(tmp_path, both), NO_OPTIONS)
    assert found.lost == {"labels of type groundtruth/image-classification-multilabel": 1}


MIXED = sports(1, "golf")[:-1] + b"," + boxes(1, ("RH", 0.5))[1:]


def test_a_file_with_both_says_which_to_type(tmp_path: Path) -> None:
    place = manifest(tmp_path, MIXED)
    with pytest.raises(MtoolError, match=r"type --label-attribute kind for its boxes"):
        read(place, NO_OPTIONS)
    assert read(place, ReadOptions(label_attribute="kind")).label_kind == "boxes"


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        pytest.param(sports(1, ""), NO_OPTIONS, "a.manifest:1: expected a class-name", id="no name"),
        pytest.param(b'{"a": 1}', NO_OPTIONS, "a.manifest:1: expected a source-ref", id="no picture"),
        pytest.param(b"{" * 10**5, NO_OPTIONS, "a.manifest:1: ", id="deep"),
        pytest.param(multi(1, RH=0.5), NO_OPTIONS, "expected labels of groundtruth", id="another type"),
        pytest.param(
            b'{"source-ref": "s3://b/1", "a": 1, "a-metadata": {"type": 5}}',
            NO_OPTIONS,
            "a.manifest:1: ",
            id="5",
        ),
        pytest.param(sports(1, "x"), ReadOptions("s3://b"), "leave it out", id="a prefix"),
    ],
)
def test_what_is_no_such_manifest_is_refused_in_one_line(
    tmp_path: Path, line: bytes, options: ReadOptions, message: str
) -> None:
    with pytest.raises(MtoolError, match=message) as refused:
        list(read(manifest(tmp_path, line), options).parts[""])
    assert "\n" not in str(refused.value)


def test_the_command_writes_a_manifest_that_holds(in_folder: Path, run: Run) -> None:
    manifest(in_folder, *(sports(number, "golf", *["tennis"] * (number % 2)) for number in range(4)))
    done = run("convert", "--from", "rekognition", "a.manifest", "-o", "one.manifest")
    assert done.exit_code == 0, done.stderr
    assert run("validate", "one.manifest").exit_code == 0
    first = json.loads(lines_of("one.manifest")[1])
    assert (first["sport"], first["sport-metadata"]["class-map"]) == ([0, 1], {"0": "golf", "1": "tennis"})


def test_the_numbers_of_an_only_attribute_stay_where_they_are_classes(tmp_path: Path) -> None:
    """Right comes before left here, and after it in the alphabet."""
    data = read(manifest(tmp_path, line(1, 0), line(2, 1)), NO_OPTIONS)
    assert data.table.names == ((0, "RH"), (1, "LH"))
    assert [picture.classes for picture in data.parts[""]] == [(0,), (1,)]
