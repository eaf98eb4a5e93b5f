"""Boxes, masks, tracks and entities: when two are equal, and how their class indices change."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.verbs.merge.merge import merge
from tests.chained_lines import attribute, boxes, encoded, entities, kind, row, values
from tests.ground_truth import lines_of, multi, write


def test_boxes_are_equal_in_any_order_and_get_the_indices_of_the_first_manifest(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, boxes("b", (0, 1), (1, 2))))
    names = ("cat", "dog", "cow")
    same, other = boxes("b", (0, 2), (1, 1), names=names), boxes("b", (2, 7), (0, 8), names=names)
    b = write(tmp_path / "b", row(1, same).replace(b'"left":1,', b'"left":1.0,'), row(2, other))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert found.manifests[1].left_out == {"same label": 1}
    assert found.class_tables["b"].names == ((0, "dog"), (1, "cat"), (2, "cow"))
    expected = boxes("b", (2, 7), (1, 8), names=("dog", "cat", "cow"))
    assert values(tmp_path / "out")[1] == json.loads(row(2, expected))
    with pytest.raises(BadData, match="different labels"):
        merge(a, write(tmp_path / "c", row(1, boxes("b", (0, 1), (0, 2)))), output=str(tmp_path / "out"))


def masks(index: int, name: str, uri: str) -> dict[str, Any]:
    colours = {
        "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0},
        str(index): {"class-name": name, "hex-color": "#2ca02c", "confidence": 0},
    }
    return attribute("m-ref", uri, "groundtruth/semantic-segmentation", internal_color_map=colours)


def test_the_colours_of_a_mask_stay_and_its_class_index_changes(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, masks(1, "road", "s3://o/1.png")))
    b = write(
        tmp_path / "b", row(2, masks(2, "road", "s3://o/2.png")), row(3, masks(1, "sky", "s3://o/3.png"))
    )
    found = merge(a, b, output=str(tmp_path / "out"))
    assert found.class_tables["m-ref"].names == ((0, "BACKGROUND"), (1, "road"), (3, "sky"))
    assert values(tmp_path / "out")[1:] == [
        json.loads(row(2, masks(1, "road", "s3://o/2.png"))),
        json.loads(row(3, masks(3, "sky", "s3://o/3.png"))),
    ]


def tracks(picture: int, **names: str) -> bytes:
    uri = f"s3://o/{picture}/SeqLabel.json"
    class_map = {index.removeprefix("_"): name for index, name in names.items()}
    return row(picture, attribute("t-ref", uri, "groundtruth/video-object-tracking", class_map=class_map))


def test_indices_that_are_also_in_objects_on_s3_cannot_change(tmp_path: Path) -> None:
    a = write(tmp_path / "a", tracks(1, _0="car", _1="bus"))
    b, c = write(tmp_path / "b", tracks(2, _0="bus")), write(tmp_path / "c", tracks(3, _1="bus", _2="van"))
    with pytest.raises(
        Refused,
        match=r"b: class 'bus' must change its index from 0 to 1, .* 't-ref' are also in the objects on S3",
    ):
        merge(a, b, output=str(tmp_path / "out"))
    found = merge(a, c, output=str(tmp_path / "out"))
    assert found.class_tables["t-ref"].names == ((0, "car"), (1, "bus"), (2, "van"))


def test_entities_are_equal_whatever_the_order_of_their_categories(tmp_path: Path) -> None:
    a = write(tmp_path / "a", entities("Person", "Place"))
    b = write(tmp_path / "b", entities("Person", "Place", order=("Place", "Person")))
    assert merge(a, b, output=str(tmp_path / "out")).kept == 1
    with pytest.raises(BadData, match="different labels"):
        merge(a, write(tmp_path / "c", entities("Place", "Person")), output=str(tmp_path / "out"))


def test_a_label_replaces_a_failure_under_another_metadata_key(tmp_path: Path) -> None:
    label = masks(1, "road", "s3://o/1.png")
    bare = {"m-ref": "s3://o/2.png", "m-metadata": masks(1, "road", "")["m-ref-metadata"]}
    a = write(tmp_path / "a", row(1, kind(0), {"m-metadata": {"failure-reason": "expired"}}), row(2, bare))
    b = write(tmp_path / "b", row(1, label))
    merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [row(1, kind(0), label) + b"\n", row(2, bare) + b"\n"]


def test_boxes_with_swapped_classes_are_different(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, boxes("b", (0, 1), (1, 2))))
    b = write(tmp_path / "b", row(1, boxes("b", (1, 1), (0, 2))))
    with pytest.raises(BadData, match="different labels"):
        merge(a, b, output=str(tmp_path / "out"))


def test_a_label_without_a_type_has_the_type_that_another_manifest_gives(tmp_path: Path) -> None:
    typed = row(1, boxes("b", (0, 1), (1, 2)))
    untyped = json.loads(row(1, boxes("b", (1, 2), (0, 1))))
    del untyped["b-metadata"]["type"]
    a, b = write(tmp_path / "a", typed), write(tmp_path / "b", encoded(untyped))
    for files in ((a, b), (b, a)):
        assert merge(*files, output=str(tmp_path / "out"), force=True).kept == 1


@pytest.mark.parametrize("kind", ["groundtruth/custom", "groundtruth/object-detection", "acme/stickers"])
def test_numbers_are_equal_however_they_are_spelt(tmp_path: Path, kind: str) -> None:
    labels = [{"annotations": [{"class_id": 0, "left": left, "more": [left]}]} for left in (1, 1.0)]
    a, b = (
        write(tmp_path / n, row(1, attribute("c", one, kind))) for n, one in zip("ab", labels, strict=True)
    )
    assert merge(a, b, output=str(tmp_path / "out")).conflicts == 0


def test_entities_are_equal_in_any_order(tmp_path: Path) -> None:
    found = json.loads(entities("Person", "Place"))
    found["e"]["annotations"]["entities"].reverse()
    a, b = write(tmp_path / "a", entities("Person", "Place")), write(tmp_path / "b", encoded(found))
    assert merge(a, b, output=str(tmp_path / "out")).kept == 1


def test_several_classes_on_a_line_are_equal_in_any_order_and_change_with_their_maps(tmp_path: Path) -> None:
    a = write(tmp_path / "a", multi(1, RH=0.9, LH=0.2), multi(2, RH=1))
    swapped = [
        b'{"source-ref":"s3://raw/1.jpg","kind":[1, 0],"kind-metadata":{"class-map":{"0":"LH","1":"RH"}}}',
        b'{"source-ref":"s3://raw/3.jpg","kind":["1",2],"kind-metadata":{"confidence-map":{"2":1.10,"1":0},'
        b'"class-map":{"1":"RH","2":"dent"}}}',
    ]
    b = write(tmp_path / "b", *swapped)
    found = merge(a, b, output=str(tmp_path / "out"))
    assert [one.left_out for one in found.manifests] == [{}, {"same label": 1}]
    expected = swapped[1].replace(b'["1",2]', b'["0",2]').replace(b'"1":', b'"0":')
    assert lines_of(tmp_path / "out")[2] == expected + b"\n"


def test_an_index_with_a_confidence_and_no_name_cannot_change(tmp_path: Path) -> None:
    a = write(tmp_path / "a", multi(1, RH=1))
    maps = b'{"class-map":{"1":"RH"},"confidence-map":{"5":1}}'
    row = b'{"source-ref":"s3://raw/2.jpg","kind":[1],"kind-metadata":' + maps + b"}"
    with pytest.raises(Refused, match="'RH' must change its index from 1 to 0, .* no line names class 5"):
        merge(a, write(tmp_path / "b", row), output=str(tmp_path / "out"))


def test_colour_maps_that_contradict_one_another_stay_as_they_are(tmp_path: Path) -> None:
    rows = [row(1, masks(1, "road", "s3://o/1.png")), row(2, masks(1, "sky", "s3://o/2.png"))]
    a, b = write(tmp_path / "a", *rows), write(tmp_path / "b", row(3, masks(2, "sky", "s3://o/3.png")))
    found = merge(a, b, output=str(tmp_path / "out"))
    (note,) = found.notes
    assert note.startswith(f"'m-ref': the colour maps stay as they are, although {a}: class 1 has two names")
    assert (tmp_path / "out").read_bytes() == Path(a).read_bytes() + Path(b).read_bytes()
    assert {name for _, name in found.class_tables["m-ref"].names} == {"BACKGROUND", "road", "sky"}
