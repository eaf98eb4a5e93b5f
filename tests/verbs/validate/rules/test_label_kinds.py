"""What the rules of each label kind find wrong with a label, each in the very words."""

from typing import Any

import pytest

from manifest_tools.verbs.validate.engine.run_rules import RuleContext, rule_line, run_line_rules
from manifest_tools.verbs.validate.rules import RULES
from tests.label_lines import (
    COLOURS,
    CONFIDENCE,
    GONE,
    GOOD,
    SIZE,
    boxes,
    cloud,
    cuboids,
    entities,
    frames,
    line,
    mask,
    verified,
)


def problems(value: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (rule.code, one.path, one.message) for rule, one in run_line_rules(rule_line(value, RuleContext()))
    ]


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_found_in(name: str) -> None:
    assert problems(GOOD[name]) == []


BOXES = {
    "a box of no class": (
        boxes({"class_id": GONE}),
        "MT240 $.x.annotations[0] annotations[0] of 'x': no class_id",
    ),
    "a class_id with a hyphen": (
        boxes({"class_id": GONE, "class-id": 0}),
        "MT240 $.x.annotations[0] annotations[0] of 'x': no class_id, only class-id",
    ),
    "a class_id that is a boolean": (
        boxes({}, {"class_id": True}),
        "MT240 $.x.annotations[1].class_id annotations[1] of 'x': expected class_id as a class index"
        " from 0, found true",
    ),
    "boxes of classes without name": (
        boxes(*({"class_id": index} for index in range(8))),
        "MT241 $.x-metadata.class-map class-map of 'x': no name for class 1, 2, 3, 4, 5 and 2 more",
    ),
    "a box of no width": (
        boxes({"width": 0}),
        "MT242 $.x.annotations[0].width annotations[0] of 'x': expected a width above 0, found 0",
    ),
    "a box of negative height": (
        boxes({"height": -3.5}),
        "MT242 $.x.annotations[0].height annotations[0] of 'x': expected a height above 0, found -3.5",
    ),
    "a box of a pixel": (
        boxes({"width": 0.2, "height": 1}),
        "MT243 $.x.annotations[0] annotations[0] of 'x': expected a box larger than 1 x 1 pixel, found"
        " 0.2 x 1",
    ),
    "a box without left": (
        boxes({"left": GONE}),
        "MT244 $.x.annotations[0].left annotations[0] of 'x': expected left as a number of pixels,"
        " found none",
    ),
    "a top in words": (
        boxes({"top": "20"}),
        "MT244 $.x.annotations[0].top annotations[0] of 'x': expected top as a number of pixels, found '20'",
    ),
    "a width of 400 digits": (
        boxes({"width": 10**400}),
        "MT244 $.x.annotations[0].width annotations[0] of 'x': expected width as a number of pixels,"
        " found a huge number",
    ),
    "a box over the right edge": (
        boxes({"left": 541}),
        "MT245 $.x.annotations[0] annotations[0] of 'x': the box from (541, 20) to (641, 70) reaches"
        " beyond the picture of 640 x 480 pixels",
    ),
    "a box over the upper edge": (
        boxes({"top": -1}),
        "MT245 $.x.annotations[0] annotations[0] of 'x': the box from (10, -1) to (110, 49) reaches"
        " beyond the picture of 640 x 480 pixels",
    ),
    "no size of the picture": (
        boxes({}, size=()),
        "MT246 $.x.image_size image_size of 'x': expected an array of one object with width and height,"
        " found 0 elements",
    ),
    "a size that is no array": (
        boxes({}, size=SIZE),
        "MT246 $.x.image_size image_size of 'x': expected an array of one object with width and height,"
        " found an object",
    ),
    "a size without height": (
        boxes({}, size=({"width": 640},)),
        "MT246 $.x.image_size[0].height image_size of 'x': expected a height above 0, found none",
    ),
    "a depth of 0": (
        boxes({}, size=(SIZE | {"depth": 0},)),
        "MT246 $.x.image_size[0].depth image_size of 'x': expected a depth above 0, found 0",
    ),
    "a confidence too few": (
        boxes({}, {}, objects=[CONFIDENCE]),
        "MT247 $.x-metadata.objects objects of 'x': expected 2 confidences, one for each box, found 1",
    ),
    "confidences that are no array": (
        boxes({}, objects=CONFIDENCE),
        "MT247 $.x-metadata.objects objects of 'x': expected an array of confidences, found an object",
    ),
    "a bare confidence": (
        boxes({}, objects=[0.9]),
        "MT247 $.x-metadata.objects[0] objects[0] of 'x': expected an object with a confidence, found 0.9",
    ),
    "an entry without confidence": (
        boxes({}, objects=[{}]),
        "MT248 $.x-metadata.objects[0] objects[0] of 'x': no confidence",
    ),
    "no objects": (
        line("object-detection", boxes({})["x"], class__map={"0": "bolt"}),
        "MT248 $.x-metadata the metadata of 'x' has no objects, so no box has a confidence",
    ),
    "a box that is an array": (
        boxes([], objects=[{"confidence": 1}]),
        "MT249 $.x.annotations[0] annotations[0] of 'x': expected an object, found an array",
    ),
    "no annotations": (
        line("object-detection", {"image_size": [SIZE]}),
        "MT249 $.x.annotations annotations of 'x': expected an array, found null",
    ),
}

COLOURED = {
    "a mask without map": (
        mask(colours=GONE),
        "MT250 $.x-ref-metadata the metadata of 'x-ref' has no internal-color-map, so its classes are"
        " unknown",
    ),
    "a map that is an array": (
        mask(colours=[]),
        "MT251 $.x-ref-metadata.internal-color-map internal-color-map of 'x-ref': expected an object,"
        " found an array",
    ),
    "a map by name": (
        mask(colours={"road": COLOURS["1"]}),
        "MT251 $.x-ref-metadata.internal-color-map.road class 'road' in internal-color-map of 'x-ref':"
        " expected a class index from 0 as the key",
    ),
    "a map of names": (
        mask(colours={"1": "road"}),
        "MT251 $.x-ref-metadata.internal-color-map['1'] class '1' in internal-color-map of 'x-ref':"
        " expected an object with class-name and hex-color, found 'road'",
    ),
    "a class without name": (
        mask(class_name=GONE),
        "MT251 $.x-ref-metadata.internal-color-map['1'] class '1' in internal-color-map of 'x-ref':"
        " expected a class-name, found null",
    ),
    "a class without colour": (
        mask(hex_color=GONE),
        "MT252 $.x-ref-metadata.internal-color-map['1'] class '1' in internal-color-map of 'x-ref': no"
        " hex-color",
    ),
    "a colour of five digits": (
        mask(hex_color="#2ca02"),
        "MT253 $.x-ref-metadata.internal-color-map['1'].hex-color class '1' in internal-color-map of"
        " 'x-ref': expected a hex-color such as #2ca02c, found '#2ca02'",
    ),
    "a colour twice": (
        mask(hex_color="#FFFFFF"),
        "MT254 $.x-ref-metadata.internal-color-map['1'].hex-color class '1' in internal-color-map of"
        " 'x-ref': '#FFFFFF' is also the colour of class '0'",
    ),
    "a mask that is a JPEG": (
        mask("0.jpg"),
        "MT255 $.x-ref URI of 'x-ref': expected a file that ends in .png, found '0.jpg'",
    ),
    "points in a PNG": (
        cloud("1.png"),
        "MT256 $.x-ref URI of 'x-ref': expected a file that ends in .zlib, found '1.png'",
    ),
    "points without map": (
        cloud(colours=GONE),
        "MT257 $.x-ref-metadata the metadata of 'x-ref' has no color-map, so its classes are unknown",
    ),
    "percents in a map": (
        mask(confidence=95),
        "MT258 $.x-ref-metadata.internal-color-map['1'].confidence class '1' in internal-color-map of"
        " 'x-ref': expected a confidence from 0 to 1, found 95",
    ),
    "points of no colour": (
        cloud(colours={"1": {**COLOURS["1"], "hex-color": None}}),
        "MT252 $.x-ref-metadata.color-map['1'] class '1' in color-map of 'x-ref': no hex-color",
    ),
}

SPANS = {
    "annotations as boxes have them": (
        line("text-span", {"annotations": []}),
        "MT260 $.x.annotations annotations of 'x': expected an object with labels and entities, found"
        " an array",
    ),
    "no labels": (
        line("text-span", {"annotations": {"entities": []}}),
        "MT260 $.x.annotations.labels labels of 'x': expected an array of objects, found null",
    ),
    "an offset that is a fraction": (
        entities({"startOffset": 0.0}),
        "MT260 $.x.annotations.entities[0].startOffset entities[0] of 'x': expected startOffset as a"
        " number of characters, found 0.0",
    ),
    "an entity of no length": (
        entities({"startOffset": 3}),
        "MT261 $.x.annotations.entities[0] entities[0] of 'x': expected startOffset from 0 and below"
        " endOffset, found 3 and 3",
    ),
    "an entity before the text": (
        entities({"startOffset": -1}),
        "MT261 $.x.annotations.entities[0] entities[0] of 'x': expected startOffset from 0 and below"
        " endOffset, found -1 and 3",
    ),
    "an entity behind the text": (
        entities({"startOffset": 16, "endOffset": 23}),
        "MT262 $.x.annotations.entities[0].endOffset entities[0] of 'x': endOffset 23 is beyond the"
        " text, which has 22 characters",
    ),
    "a category in other letters": (
        entities({"label": "person"}),
        "MT263 $.x.annotations.entities[0].label entities[0] of 'x': the category 'person' is not in labels",
    ),
    "an entity without confidence": (
        entities({}, entities=[]),
        "MT264 $.x-metadata.entities entities of 'x': expected 1 confidence, one for each entity, found 0",
    ),
}

OTHERS = {
    "no cuboids": (
        line("point_cloud_object_detection", {}),
        "MT270 $.x.annotations annotations of 'x': expected an array, found null",
    ),
    "a class-id with an underscore": (
        cuboids({"class-id": GONE, "class_id": 0}),
        "MT271 $.x.annotations[0] annotations[0] of 'x': no class-id, only class_id",
    ),
    "a cuboid of a class without name": (
        cuboids({"class-id": 1}),
        "MT272 $.x-metadata.class_map class_map of 'x': no name for class 1",
    ),
    "a flat cuboid": (
        cuboids({"height": 0}),
        "MT273 $.x.annotations[0].height annotations[0] of 'x': expected height as a number above 0, found 0",
    ),
    "a cuboid that is nowhere": (
        cuboids({"center-z": GONE}),
        "MT273 $.x.annotations[0].center-z annotations[0] of 'x': expected center-z as a number, found none",
    ),
    "a confidence too many": (
        cuboids({}, objects=[CONFIDENCE, CONFIDENCE]),
        "MT274 $.x-metadata.objects objects of 'x': expected 1 confidence, one for each cuboid, found 2",
    ),
    "frames of a clip": (
        frames("clip.mp4"),
        "MT280 $.source-ref source-ref: expected a sequence file, which ends in .json, found 'clip.mp4'",
    ),
    "a label of frames called otherwise": (
        frames(key="0.json"),
        "MT281 $.x-ref URI of 'x-ref': expected a file that ends in SeqLabel.json, found '0.json'",
    ),
    "frames without names": (
        frames(named=GONE),
        "MT282 $.x-ref-metadata the metadata of 'x-ref' has no class-map, so its classes are unknown",
    ),
    "a comment in place of a list": (
        verified(worker__feedback="too wide"),
        "MT290 $.x-metadata.worker-feedback worker-feedback of 'x': expected an array of comments,"
        " found 'too wide'",
    ),
    "a comment called otherwise": (
        verified(worker__feedback=[{"comment": "a"}, {"text": "b"}]),
        "MT290 $.x-metadata.worker-feedback[1] worker-feedback[1] of 'x': expected an object with the"
        " text of a comment, found null",
    ),
}

NAMES = {
    "a long name": (
        verified(class__name="x" * 257),
        "MT223 $.x-metadata.class-name expected a class name of at most 256 characters, found 257: '"
        + "x" * 56
        + "...",
    ),
    "a blank name": (
        boxes({}, named={"0": " \t"}),
        "MT223 $.x-metadata.class-map['0'] a class name is blank: ' \\t'",
    ),
    "a terminal's escape in a name": (
        mask(class_name="road\x1b[31m"),
        "MT223 $.x-ref-metadata.internal-color-map['1'].class-name a class name has a control"
        " character: 'road\\x1b[31m'",
    ),
    "a name that turns the text round": (
        cuboids({}, class_map={"0": "Car\u202e"}),
        "MT223 $.x-metadata.class_map['0'] a class name has a control character: 'Car\\u202e'",
    ),
    "a category without name": (
        line("text-span", {"annotations": {"labels": [{"label": ""}], "entities": []}}),
        "MT223 $.x.annotations.labels[0].label a class name is blank: ''",
    ),
}


BAD = BOXES | COLOURED | SPANS | OTHERS | NAMES


@pytest.mark.parametrize("name", BAD)
def test_one_problem_is_found_in(name: str) -> None:
    value, problem = BAD[name]
    # A label whose very list is missing lacks what is matched to it too; the others are not asked about.
    found = [" ".join(found) for found in problems(value)]
    assert [one for one in found if one.startswith(problem[:5])] == [problem]


MINE = [rule.code for rule in RULES if rule.code == "MT223" or "MT240" <= rule.code < "MT300"]


@pytest.mark.parametrize("code", MINE)
def test_every_rule_of_a_label_kind_has_a_case_here(code: str) -> None:
    assert code in {problem[:5] for _, problem in BAD.values()}


def test_boxes_of_another_attribute_are_not_looked_at() -> None:
    value = boxes({"left": 600}) | {"y": 0, "y-metadata": {"type": "groundtruth/image-classification"}}
    assert {rule.code for rule, _ in run_line_rules(rule_line(value, RuleContext(requested="y")))} == {
        "MT220"
    }
