import json
from typing import Any

import pytest
from hypothesis import given

from manifest_tools.base.errors import Refused
from manifest_tools.edits.rename import (
    FromLab,
    LineEdit,
    Move,
    Placeholder,
    Prefix,
    RenameAttribute,
    RenameClass,
    check_lab,
)
from manifest_tools.io.json_spans import string_spans
from manifest_tools.io.s3uri import bucket_problem
from tests.json_lines import Pairs, objects, pairs_of

LAB = Placeholder("lab#", "lab3")
FROM_LAB = FromLab("lab1", "lab3")
EVERYWHERE = FromLab("lab1", "lab3", everywhere=True)
MOVE = Move("s3://old/prefix", "s3://new/place")
ATTRIBUTE = RenameAttribute("kind", "sort")
CLASS = RenameClass("RH", "right")

LEFT_ALONE: list[tuple[str, LineEdit, bytes]] = [
    ("a placeholder cut short", LAB, b'{"a": "lab", "lab": "#", "LAB#": "la b#"}'),
    ("a placeholder over two strings", LAB, b'{"a": ["lab", "#"]}'),
    ("an escape that spells another text", LAB, b'{"a": "lab\\u0024 \\\\u0023"}'),
    ("a longer lab ID", FROM_LAB, b'{"lab10-job": 1, "lab1x": 2, "source-ref": "s3://lab10-raw/a.jpg"}'),
    (
        "a lab ID that does not begin the name",
        FROM_LAB,
        b'{"my-lab1": 1, "source-ref": "s3://my-lab1/a.jpg"}',
    ),
    ("a lab ID in an object's key", FROM_LAB, b'{"source-ref": "s3://raw/lab1/lab1-a.jpg"}'),
    (
        "a class or a value that is called so",
        FROM_LAB,
        b'{"k": "lab1", "k-metadata": {"class-name": "lab1"}}',
    ),
    ("a job-name outside the metadata", FROM_LAB, b'{"job-name": "labeling-job/lab1-job"}'),
    ("a job-name of another lab", FROM_LAB, b'{"k-metadata": {"job-name": "labeling-job/lab10-job"}}'),
    ("a job-name that goes on", FROM_LAB, b'{"k-metadata": {"job-name": "labeling-job/my-lab1"}}'),
    ("an ARN that ends in a job-name", FROM_LAB, b'{"k-metadata": {"job-name": "arn:x/labeling-job/lab1"}}'),
    ("a job-name that is no text", FROM_LAB, b'{"k-metadata": {"job-name": ["lab1"]}}'),
    ("metadata that is no object", FROM_LAB, b'{"k-metadata": "lab1"}'),
    ("other spelling of the scheme", FROM_LAB, b'{"source-ref": "S3://lab1-raw/a.jpg", "u": "xs3://lab1/a"}'),
    ("a capital", FROM_LAB, b'{"Lab1-job": 1, "source-ref": "s3://LAB1-raw/a.jpg"}'),
    ("a lab called source", FromLab("source", "lab3"), b'{"source-ref": "s3://raw/a", "source": "x"}'),
    ("a letter that is not ASCII", FROM_LAB, '{"lab1ä": 1}'.encode()),
    ("a longer lab ID in a key", EVERYWHERE, b'{"source-ref": "s3://raw/lab10/my-lab1/lab1x.jpg"}'),
    ("a longer prefix", MOVE, b'{"source-ref": "s3://old/prefix2/a.jpg"}'),
    ("a prefix in the middle", MOVE, b'{"source-ref": "x s3://old/prefix/a.jpg"}'),
    ("another bucket", MOVE, b'{"source-ref": "s3://older/prefix/a.jpg", "k": "s3://old/pre"}'),
    ("an attribute that only begins so", ATTRIBUTE, b'{"kindly": 1, "kind-": 2, "kind-metadata2": 3}'),
    ("an attribute's name in values", ATTRIBUTE, b'{"a": "kind", "b": {"kind": 1}, "c": ["kind-metadata"]}'),
    (
        "a class that only begins so",
        CLASS,
        b'{"k-metadata": {"class-name": "RHX", "class-map": {"1": "xRH"}}}',
    ),
    ("a class's name as a key", CLASS, b'{"RH": 1, "k-metadata": {"class-map": {"RH": "x"}, "RH": "RH"}}'),
    ("a class's name elsewhere", CLASS, b'{"source-ref": "RH", "k": "RH", "k-metadata": {"type": "RH"}}'),
    ("class-name outside the metadata", CLASS, b'{"class-name": "RH", "class-map": {"0": "RH"}}'),
    ("class-name further in", CLASS, b'{"k-metadata": {"deep": {"class-name": "RH"}}}'),
    ("class-name that is no text", CLASS, b'{"k-metadata": {"class-name": ["RH"], "class-map": ["RH"]}}'),
    ("what describes the input", CLASS, b'{"source-ref": "x", "source-ref-metadata": {"class-name": "RH"}}'),
    (
        "a category of what is no label",
        CLASS,
        b'{"k": {"annotations": {"labels": [{"label": "RH"}], "entities": [{"label": "RH"}]}}, "k-meta": {}}',
    ),
    (
        "a category's short name, and one that is no text",
        CLASS,
        b'{"k": {"annotations": {"labels": [{"shortDisplayName": "RH"}, {"label": ["RH"]}, "RH"], '
        b'"entities": {"label": "RH"}}}, "k-metadata": {}}',
    ),
    (
        "boxes that are called so",
        CLASS,
        b'{"k": {"annotations": [{"object-name": "RH:1"}]}, "k-metadata": {}}',
    ),
    (
        "a colour that is no text",
        CLASS,
        b'{"k-metadata": {"color-map": {"0": {"class-name": ["RH"]}, "1": "RH", "RH": {"hex-color": "RH"}}}}',
    ),
    (
        "the metadata of a -ref beside, which is not the stem's",
        RenameAttribute("Person", "Human"),
        b'{"Person-ref": "s3://b/k", "Person-metadata": {}}',
    ),
    (
        "a -ref beside its stem",
        RenameAttribute("Person", "Human"),
        b'{"Person-ref": "s3://b/k", "Person-ref-metadata": {}}',
    ),
    ("keys that look like labels", RenameAttribute("textract", "x"), b'{"textract-ref": "s3://b/k"}'),
    (
        "the class of a -ref, renamed in its stem",
        RenameClass("RH", "right", "Person"),
        b'{"Person-ref": "s3://b/k", "Person-metadata": {"class-name": "RH"}}',
    ),
    (
        "the class of another attribute",
        RenameClass("RH", "right", "kind"),
        b'{"other-metadata": {"class-name": "RH"}}',
    ),
]

CHANGED: list[tuple[str, LineEdit, bytes, bytes]] = [
    (
        "key, value, and twice in one string",
        LAB,
        b'{"lab#-k": "lab#lab#", "n": 1.10}',
        b'{"lab3-k": "lab3lab3", "n": 1.10}',
    ),
    ("a placeholder written with an escape", LAB, b'{"a": "lab\\u0023-x"}', b'{"a": "lab3-x"}'),
    (
        "bucket, attribute, metadata and job-name",
        FROM_LAB,
        b'{"source-ref":"s3://lab1-raw/lab1.jpg","lab1-job":1,'
        b'"lab1-job-metadata":{"job-name":"labeling-job/lab1-job"}}',
        b'{"source-ref":"s3://lab3-raw/lab1.jpg","lab3-job":1,'
        b'"lab3-job-metadata":{"job-name":"labeling-job/lab3-job"}}',
    ),
    ("a name that is the lab ID alone", FROM_LAB, b'{"lab1": "s3://lab1"}', b'{"lab3": "s3://lab3"}'),
    (
        "an underscore or a dot after it",
        FROM_LAB,
        b'{"lab1_a": "s3://lab1.x/a"}',
        b'{"lab3_a": "s3://lab3.x/a"}',
    ),
    (
        "a job-name without its prefix",
        FROM_LAB,
        b'{"k-metadata":{"job-name":"lab1-j"}}',
        b'{"k-metadata":{"job-name":"lab3-j"}}',
    ),
    (
        "an URI with escaped slashes",
        FROM_LAB,
        b'{"u": "s3:\\/\\/lab1-raw\\/a"}',
        b'{"u": "s3:\\/\\/lab3-raw\\/a"}',
    ),
    (
        "a URI written with escapes",
        FROM_LAB,
        b'{"u": "\\u0073\\u0033://lab1/a"}',
        b'{"u": "\\u0073\\u0033://lab3/a"}',
    ),
    (
        "folders and files of the key, when requested",
        EVERYWHERE,
        b'{"source-ref": "s3://raw/lab1/lab1-a.jpg"}',
        b'{"source-ref": "s3://raw/lab3/lab3-a.jpg"}',
    ),
    (
        "an object under the prefix",
        MOVE,
        b'{"s": "s3://old/prefix/a b.jpg"}',
        b'{"s": "s3://new/place/a b.jpg"}',
    ),
    ("the prefix itself", MOVE, b'{"s": "s3://old/prefix"}', b'{"s": "s3://new/place"}'),
    ("a prefix typed with a slash", Move("s3://old/", "s3://new/"), b'["s3://old/a"]', b'["s3://new/a"]'),
    (
        "objects deep in the line",
        MOVE,
        b'{"a": [{"b": "s3://old/prefix/x"}]}',
        b'{"a": [{"b": "s3://new/place/x"}]}',
    ),
    (
        "an attribute and its metadata key",
        ATTRIBUTE,
        b'{"kind" : 1,"kind-metadata":{}}',
        b'{"sort" : 1,"sort-metadata":{}}',
    ),
    ("an attribute written with an escape", ATTRIBUTE, b'{"k\\u0069nd": 1}', b'{"sort": 1}'),
    ("an attribute that is there twice", ATTRIBUTE, b'{"kind": 1, "kind": 2}', b'{"sort": 1, "sort": 2}'),
    (
        "the other metadata key of a -ref",
        RenameAttribute("seg-ref", "mask-ref"),
        b'{"seg-ref": "s3://b/x", "seg-metadata": {}}',
        b'{"mask-ref": "s3://b/x", "mask-metadata": {}}',
    ),
    (
        "not the metadata key of another",
        RenameAttribute("seg-ref", "mask-ref"),
        b'{"seg-ref": 1, "seg-ref-metadata": {}, "seg-metadata": {}}',
        b'{"mask-ref": 1, "mask-ref-metadata": {}, "seg-metadata": {}}',
    ),
    (
        "nor the metadata key of what is there without -ref",
        RenameAttribute("seg-ref", "mask-ref"),
        b'{"seg-ref": 1, "seg": 2, "seg-metadata": {}}',
        b'{"mask-ref": 1, "seg": 2, "seg-metadata": {}}',
    ),
    (
        "a class-name",
        CLASS,
        b'{"k-metadata":{"class-name" :"RH"}}',
        b'{"k-metadata":{"class-name" :"right"}}',
    ),
    (
        "a class-map",
        CLASS,
        b'{"k-metadata":{"class-map":{"0":"RH","1":"LH"}}}',
        b'{"k-metadata":{"class-map":{"0":"right","1":"LH"}}}',
    ),
    (
        "a class_map",
        CLASS,
        b'{"k-metadata":{"class_map":{"0":"RH"}}}',
        b'{"k-metadata":{"class_map":{"0":"right"}}}',
    ),
    (
        "a colour map",
        CLASS,
        b'{"k-ref-metadata":{"internal-color-map":{"0":{"class-name":"RH","c":"#f"}}}}',
        b'{"k-ref-metadata":{"internal-color-map":{"0":{"class-name":"right","c":"#f"}}}}',
    ),
    (
        "the colour map of a point cloud",
        CLASS,
        b'{"k-ref-metadata":{"color-map":{"0":{"hex-color":"#f","class-name":"RH"}}}}',
        b'{"k-ref-metadata":{"color-map":{"0":{"hex-color":"#f","class-name":"right"}}}}',
    ),
    (
        "the classes of a -ref under the metadata of its stem",
        RenameClass("RH", "right", "mask-ref"),
        b'{"mask-ref":"s3://b/k","mask-metadata":{"internal-color-map":{"1":{"class-name":"RH"}}}}',
        b'{"mask-ref":"s3://b/k","mask-metadata":{"internal-color-map":{"1":{"class-name":"right"}}}}',
    ),
    (
        "the categories of named entities, listed and found",
        CLASS,
        b'{"k":{"annotations":{"entities":[{"endOffset":2,"label":"RH"},{"label":"LH"},{"label":"\\u0052H"}],'
        b'"labels":[{"shortDisplayName":"RH","label":"RH"}]}},"k-metadata":{"entities":[{},{},{}]}}',
        b'{"k":{"annotations":{"entities":[{"endOffset":2,"label":"right"},{"label":"LH"},{"label":"right"}],'
        b'"labels":[{"shortDisplayName":"RH","label":"right"}]}},"k-metadata":{"entities":[{},{},{}]}}',
    ),
    (
        "of Person and Person-ref each its own, when requested",
        RenameClass("RH", "right", "Person"),
        b'{"Person":1,"Person-metadata":{"class-name":"RH"},"Person-ref-metadata":{"class-name":"RH"}}',
        b'{"Person":1,"Person-metadata":{"class-name":"right"},"Person-ref-metadata":{"class-name":"RH"}}',
    ),
    (
        "an attribute a label, as Rekognition has it",
        CLASS,
        b'{"s0":1,"s0-metadata":{"class-name":"RH"},"s1":1,"s1-metadata":{"class-name":"RH"}}',
        b'{"s0":1,"s0-metadata":{"class-name":"right"},"s1":1,"s1-metadata":{"class-name":"right"}}',
    ),
    (
        "a stem beside its -ref",
        RenameAttribute("Person", "Human"),
        b'{"Person":1,"Person-metadata":{},"Person-ref":"s3://b/k","Person-ref-metadata":{}}',
        b'{"Human":1,"Human-metadata":{},"Person-ref":"s3://b/k","Person-ref-metadata":{}}',
    ),
    (
        "a -ref beside its stem, and not the stem",
        RenameAttribute("Person-ref", "Human-ref"),
        b'{"Person":1,"Person-metadata":{},"Person-ref":"s3://b/k","Person-ref-metadata":{}}',
        b'{"Person":1,"Person-metadata":{},"Human-ref":"s3://b/k","Human-ref-metadata":{}}',
    ),
    (
        "an attribute on a line that failed",
        RenameAttribute("mask-ref", "area-ref"),
        b'{"source-ref":"s3://b/k","mask-ref-metadata":{"failure-reason":"x"}}',
        b'{"source-ref":"s3://b/k","area-ref-metadata":{"failure-reason":"x"}}',
    ),
    (
        "a name that needs escapes",
        RenameClass('5" disk', "5'' \\ ü"),
        b'{"k-metadata":{"class-name":"5\\" disk"}}',
        '{"k-metadata":{"class-name":"5\'\' \\\\ ü"}}'.encode(),
    ),
]


@pytest.mark.parametrize(("edit", "line"), [pytest.param(*case[1:], id=case[0]) for case in LEFT_ALONE])
def test_these_lines_are_left_alone(edit: LineEdit, line: bytes) -> None:
    assert edit(line) == line


@pytest.mark.parametrize(
    ("edit", "line", "edited"), [pytest.param(*case[1:], id=case[0]) for case in CHANGED]
)
def test_these_lines_change_where_it_was_meant(edit: LineEdit, line: bytes, edited: bytes) -> None:
    assert edit(line) == edited
    assert edit(edited) == edited


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        pytest.param(ATTRIBUTE, b'{"kind": 1, "sort": 2}', id="the new name"),
        pytest.param(ATTRIBUTE, b'{"kind": 1, "sort-metadata": {}}', id="the metadata key of the new name"),
        pytest.param(FROM_LAB, b'{"lab1-job": 1, "lab3-job": 2}', id="the name under the new lab"),
    ],
)
def test_an_attribute_is_not_renamed_to_one_that_is_there(edit: LineEdit, line: bytes) -> None:
    with pytest.raises(ValueError, match="is there already"):
        edit(line)


@pytest.mark.parametrize("lab", ["lab3", "a", "7", "team-7-lab", "l" * 40])
def test_a_lab_id_that_can_begin_a_bucket_and_an_attribute_is_taken(lab: str) -> None:
    check_lab(lab)
    assert bucket_problem(f"{lab}-rawdata") is None


@pytest.mark.parametrize(
    "lab",
    ["", "Lab3", "lab_3", "lab.3", "-lab", "lab-", "la--b", "lab#", "läb", "lab3\n", "l" * 41, "../x", "a b"],
)
def test_any_other_lab_id_is_refused_with_the_rule(lab: str) -> None:
    with pytest.raises(Refused, match="expected a lab ID of lower-case letters, digits and inner hyphens"):
        check_lab(lab)


def changed(value: Any) -> Any:
    """Return a decoded line with `b` replaced by `a` in every string, the slow way."""
    if isinstance(value, Pairs):
        return Pairs((key.replace("b", "a"), changed(inner)) for key, inner in value)
    if isinstance(value, list):
        return [changed(inner) for inner in value]
    return value.replace("b", "a") if isinstance(value, str) else value


@given(objects)
def test_the_placeholder_changes_every_string_and_no_number_order_or_duplicate(line: bytes) -> None:
    edited = Placeholder("b", "a")(line)
    assert pairs_of(edited) == changed(pairs_of(line))
    assert Placeholder("b", "a")(edited) == edited


@given(objects)
def test_what_stands_between_the_strings_keeps_its_bytes(line: bytes) -> None:
    def skeleton(data: bytes) -> list[bytes]:
        ends = [0, *(at for span in string_spans(data) for at in span), len(data)]
        return [data[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True)]

    assert skeleton(Placeholder("b", "a")(line)) == skeleton(line)


@given(objects)
def test_a_renamed_attribute_takes_its_value_along_unchanged(line: bytes) -> None:
    names = {"kind": "sort", "kind-metadata": "sort-metadata"}
    wanted = [[names.get(key, key), value] for key, value in pairs_of(line)]
    assert [list(pair) for pair in pairs_of(ATTRIBUTE(line))] == wanted


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("training-images/x.jpg", "s3://lab/raw/training-images/x.jpg"),
        ("./x.jpg", "s3://lab/raw/x.jpg"),
        ("a b/ü.jpg", "s3://lab/raw/a b/ü.jpg"),
        ("s3://other/x.jpg", "s3://other/x.jpg"),
        ("file:x.jpg", "file:x.jpg"),
        ("/data/x.jpg", "/data/x.jpg"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("prefix", ["s3://lab/raw", "s3://lab/raw/"])
def test_a_prefix_goes_in_front_of_relative_source_refs_alone(ref: str, expected: str, prefix: str) -> None:
    rest = b' , "n": 1.10, "kind-ref": "masks/x.png", "source-ref-metadata": {"source-ref": "y.jpg"}}'
    for ascii_only in (True, False):
        before, after = (
            b'{"source-ref" : ' + json.dumps(one, ensure_ascii=ascii_only).encode() + rest
            for one in (ref, expected)
        )
        assert Prefix(prefix)(before) == after


def test_a_source_ref_that_is_no_string_stays() -> None:
    assert Prefix("s3://lab")(b'{"source-ref": ["x.jpg"]}') == b'{"source-ref": ["x.jpg"]}'
