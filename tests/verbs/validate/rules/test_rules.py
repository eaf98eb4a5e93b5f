import re
from typing import Any

import pytest

from manifest_tools.base.errors import NotAManifest
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.rows import decode
from manifest_tools.verbs.validate.engine.run_rules import RuleContext, rule_line, run_line_rules, run_rules
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules import RULES, of_scope
from tests.conftest import REPOSITORY

SAMPLES = REPOSITORY / "sample_manifests"


def values(
    label: Any = 0, kind: str = "image-classification", drop: str = "", **fields: Any
) -> dict[str, Any]:
    metadata = {"class-name": "RH", "confidence": 0.9, "type": f"groundtruth/{kind}"}
    metadata |= {key.replace("_", "-"): value for key, value in fields.items()}
    metadata.pop(drop, None)
    return {"source-ref": "s3://bucket/1.JPG", "hand": label, "hand-metadata": metadata}


def several(label: Any, named: Any, confidences: Any = None) -> dict[str, Any]:
    fields = {"class_map": named} | ({} if confidences is None else {"confidence_map": confidences})
    return values(label, "image-classification-multilabel", "class-name", **fields)


BOXES = {
    "image_size": [{"width": 640, "height": 480, "depth": 3}],
    "annotations": [{"class_id": 0, "left": 10, "top": 20, "width": 100, "height": 50}],
}


def codes(value: dict[str, Any], *expected: str) -> list[str]:
    return [rule.code for rule, _ in run_line_rules(rule_line(value, RuleContext(expected)))]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(values(), id="a usual line"),
        pytest.param(values(confidence=0), id="a confidence of 0"),
        pytest.param(values(confidence=1), id="a confidence of 1 as an integer"),
        pytest.param(values(drop="confidence"), id="no confidence"),
        pytest.param(values(type="groundTruth/Image-Classification"), id="a type in other letters"),
        pytest.param(values(1, "label-verification"), id="a verification"),
        pytest.param(values("1", "label-verification"), id="a verification as documentation writes it"),
        pytest.param(values({"any": 1}, "custom"), id="a custom label"),
        pytest.param(several([], {}), id="an empty list of classes"),
        pytest.param(several([1], {"1": "a"}, {"1": 0.5, "7": 0.1}), id="confidences of other classes too"),
        pytest.param({"source-ref": "s3://bucket/1.JPG"}, id="an unlabelled line"),
        pytest.param({"source": "text", "n-metadata": 3}, id="a key that only looks like metadata"),
        pytest.param({"source-ref": "s3://a/b", "source-ref-metadata": {"format": 3}}, id="input metadata"),
        pytest.param(
            {"source-ref": "s3://a/b", "hand-metadata": {"failure-reason": "expired", "retry-count": 1}},
            id="a failed line",
        ),
        pytest.param(
            {
                "source-ref": "s3://a/b",
                "m-ref": "s3://a/m.png",
                "m-metadata": {
                    "type": "groundtruth/semantic-segmentation",
                    "internal-color-map": {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"}},
                },
            },
            id="a -ref attribute whose metadata is named without it",
        ),
    ],
)
def test_no_rule_finds_anything_in(value: dict[str, Any]) -> None:
    assert codes(value, "hand") == []


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param({"page-num": 1}, "MT110", id="no source"),
        pytest.param({"source_ref": "s3://a/b"}, "MT110", id="a source spelt otherwise"),
        pytest.param({"source-ref": "/a.jpg"}, "MT111", id="a path from the root as the source"),
        pytest.param({"source-ref": "b/../../a.jpg"}, "MT111", id="a path that leads out as the source"),
        pytest.param({"source-ref": "http://a/b.jpg"}, "MT111", id="another URI as the source"),
        pytest.param({"source-ref": {}}, "MT111", id="an object as the source"),
        pytest.param({"source": 3}, "MT112", id="a number as the text"),
        pytest.param({"source-ref": "s3://a/b", "mask-ref": "s3://s3://a/c"}, "MT115", id="a scheme twice"),
        pytest.param({"source": "text", "hand\u200b": 0}, "MT116", id="a key with what cannot be seen"),
        pytest.param({"source": "text", " hand": 0}, "MT116", id="a key with a blank before it"),
        pytest.param({"source": "text", "$hand": 0}, "MT117", id="a key with a dollar sign"),
        pytest.param(values() | {"hand-metadata": None}, "MT201", id="null for metadata"),
        pytest.param(values() | {"hand-metadata": "x"}, "MT202", id="text for metadata"),
        pytest.param(values(None), "MT203", id="null for a label"),
        pytest.param(values(human_annotated=True), "MT204", id="a boolean for text"),
        pytest.param(several([1], {"1": "a", "x": "b"}), "MT204", id="a class-map of no index"),
        pytest.param(values(drop="type"), "MT205", id="no type"),
        pytest.param(values(kind="classification"), "MT206", id="a type of somebody else's"),
        pytest.param(values(creation_date="soon"), "MT207", id="a date that is none"),
        pytest.param(values(human_annotated="true"), "MT208", id="an annotator who is neither yes nor no"),
        pytest.param(values(adjustment_status="changed"), "MT209", id="an adjustment in other words"),
        pytest.param(values([0]), "MT210", id="a list under a single-label type"),
        pytest.param(values(0, "image-classification-multilabel"), "MT210", id="an index for a list"),
        pytest.param(values(0, "object-detection"), "MT210", id="an index for boxes"),
        pytest.param(
            values("mask.png", "semantic-segmentation", internal_color_map={}),
            "MT210",
            id="a path for a mask",
        ),
        pytest.param(values(-1), "MT211", id="a negative index"),
        pytest.param(values(True), "MT211", id="a boolean index"),
        pytest.param(values(1.0), "MT211", id="a fraction as index"),
        pytest.param(values("RH"), "MT211", id="a name as index"),
        pytest.param(values(10**7), "MT211", id="an index beyond any table"),
        pytest.param(several(["x"], {}), "MT211", id="a name in a list"),
        pytest.param(values("1"), "MT215", id="an index that is a string of digits"),
        pytest.param(several(["1"], {"1": "a"}), "MT215", id="a string of digits in a list"),
        pytest.param(values(drop="class-name"), "MT220", id="no class-name"),
        pytest.param(values(class_name=""), "MT220", id="an empty class-name"),
        pytest.param(several([1, 2], {"1": "a"}), "MT221", id="a class that the class-map lacks"),
        pytest.param(several([1], {"1": "a"}, {"2": 0.5}), "MT222", id="a class without confidence"),
        pytest.param(values(confidence=1.01), "MT230", id="a confidence above 1"),
        pytest.param(values(confidence=-0.5), "MT230", id="a confidence below 0"),
        pytest.param(values(confidence="high"), "MT230", id="a confidence in words"),
        pytest.param(values(confidence=True), "MT230", id="a boolean confidence"),
        pytest.param(several([1], {"1": "a"}, {"1": 95}), "MT230", id="percents in a confidence-map"),
        pytest.param(
            values(BOXES, "object-detection", class_map={"0": "bolt"}, objects=[{"confidence": 2}]),
            "MT230",
            id="a confidence of a box",
        ),
    ],
)
def test_one_rule_finds(value: dict[str, Any], code: str) -> None:
    assert codes(value, "hand") == [code]


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (b'{"a": "\xff"}', "MT101", "not UTF-8: byte 0xff at position 8 of the line"),
        (b'{"a": 1', "MT102", "not JSON: Input data was truncated"),
        (b"{'a': 1}", "MT102", "not JSON: single quotes, as Python prints a dict"),
        (b"\xef\xbb\xbf{}", "MT102", "not JSON: it begins with a byte-order mark"),
        (b'{"a":' + b"[" * 10**5, "MT102", "not readable: nested too deeply"),
        (b'{"a": 1e999, "b": NaN}', "MT102", "not JSON: NaN is no number"),
        (b"[1]", "MT103", "expected a JSON object, found an array"),
        (b"7", "MT103", "expected a JSON object, found a number"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("MT") else "",
)
def test_a_line_that_cannot_be_read_has_one_problem(line: bytes, code: str, message: str) -> None:
    found, read = run_rules(line, RuleContext())
    assert read is None
    assert [(rule.code, one.message) for rule, one in found] == [(code, message)]


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 400, b"9" * 9000])
def test_a_number_that_no_machine_holds_is_json_all_the_same(number: bytes) -> None:
    assert "n" in decode(b'{"n": ' + number + b"}")


def test_the_attribute_that_was_told_hides_the_others() -> None:
    value = values(-1) | {"finish": -1, "finish-metadata": {}, "third-metadata": 3, "third": 1}
    read = rule_line(value, RuleContext(("hand", "finish"), "hand"))
    assert [label.name for label in read.labels] == ["hand"]
    assert set(read.value) == {"source-ref", "hand", "hand-metadata", "third"}
    assert read.expected == ("hand",)


def test_a_file_that_is_no_manifest_is_told_without_its_name_twice() -> None:
    (rule,) = of_scope("open")
    (found,) = rule.check(NotAManifest("a.manifest", "a picture", "type another"))
    assert found.message == "expected a manifest, one JSON object a line; found a picture; type another"


def test_codes_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"MT[1-9]\d\d", code) for code in codes)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_gives_its_reason_in_one_sentence(rule: Any) -> None:
    assert re.fullmatch(r"[A-Z].{10,100}[A-Za-z0-9]\.", rule.reason)


# A code that somebody's script looks for never comes to mean something else.
STABLE = (
    "MT100 MT101 MT102 MT103 MT104 MT105 MT106 MT107 MT108 MT109 MT110 MT111 MT112 MT113 MT114 MT115 MT116"
    " MT117 MT201 MT202 MT203 MT204 MT205 MT206 MT207 MT208 MT209 MT210 MT211 MT212 MT213 MT214 MT215 MT220"
    " MT221 MT222 MT223 MT230 MT240 MT241 MT242 MT243 MT244 MT245 MT246 MT247 MT248 MT249 MT250 MT251 MT252"
    " MT253 MT254 MT255 MT256 MT257 MT258 MT260 MT261 MT262 MT263 MT264 MT270 MT271 MT272 MT273 MT274 MT280"
    " MT281 MT282 MT290 MT301 MT302 MT303 MT304 MT305 MT306 MT310 MT311 MT312 MT313"
)


def test_no_code_has_gone() -> None:
    assert set(STABLE.split()) <= {rule.code for rule in RULES}


@pytest.mark.parametrize(
    "value",
    ["\x1b[31m", "a" * 500, 10**5000, {"a": 1}, [1], None, True, 1e300, "\u202e", "\n", "\ud800"],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown_short_and_on_one_line(value: Any) -> None:
    assert len(shown(value)) <= 60
    assert shown(value).isprintable()


def test_a_path_quotes_a_key_that_is_no_word() -> None:
    assert path("hand-metadata", "objects", 0, "a b") == "$.hand-metadata.objects[0]['a b']"


def test_a_label_of_no_known_type_is_neither_single_nor_several() -> None:
    label = LineLabel("x", "x-metadata", "groundtruth/custom", "labelled", 1, {})
    assert not label.single
    assert not label.multi
    assert run_line_rules(RuleLine({"source": "a"}, (label,))) != []
