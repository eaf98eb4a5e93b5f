import gzip
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.verbs.validate.engine.check_lines import check_lines
from manifest_tools.verbs.validate.engine.file_facts import Facts
from manifest_tools.verbs.validate.engine.run_rules import RuleContext
from manifest_tools.verbs.validate.engine.shortcut.prove_clean import prove_clean
from manifest_tools.verbs.validate.in_order import in_order
from manifest_tools.verbs.validate.preflight.inputs import PURPOSES, Preflight
from manifest_tools.verbs.validate.rules import of_scope
from manifest_tools.verbs.validate.validate import validate
from tests.conftest import REPOSITORY

SAMPLES = REPOSITORY / "sample_manifests"


def metadata(**fields: Any) -> dict[str, Any]:
    given = {key.replace("_", "-"): value for key, value in fields.items()}
    return {"class-name": "RH", "confidence": 0.9, "type": "groundtruth/image-classification"} | given


def line(number: int, label: Any = 0, **fields: Any) -> dict[str, Any]:
    return {
        "source-ref": f"s3://lab3-rawdata/{number}.JPG",
        "hand": label,
        "hand-metadata": metadata(**fields),
    }


def many(lines: int) -> list[dict[str, Any]]:
    return [line(number, number % 2, class_name=("RH", "LH")[number % 2]) for number in range(lines)]


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[[list[dict[str, Any]]], str]:
    def write(lines: list[dict[str, Any]]) -> str:
        path = tmp_path / "a.manifest"
        path.write_text("".join(json.dumps(value) + "\n" for value in lines))
        return str(path)

    return write


def codes(problems: Any) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in problems]


@pytest.mark.parametrize("path", sorted((SAMPLES / "good").iterdir()), ids=lambda path: path.stem)
def test_a_good_sample_has_no_problem(path: Path) -> None:
    assert list(validate(str(path))) == []


def bad_samples() -> list[Path]:
    return sorted(path for path in (SAMPLES / "bad").iterdir() if path.suffix != ".expected")


@pytest.mark.parametrize("path", bad_samples(), ids=lambda path: path.stem)
def test_a_bad_sample_has_the_problems_that_lie_beside_it(path: Path) -> None:
    found = in_order(validate(str(path)), [str(path)])
    report = [str(problem).removeprefix(f"{path.parent}/") + "\n" for problem in found]
    assert "".join(report) == path.with_suffix(".expected").read_text()
    assert report


# Real files: what a rule says of them that is not here is a rule gone wrong.
CORPUS = {
    "boxes-minimal.manifest": [],
    "boxes-textract-1.manifest": [(1, "MT113")],
    "boxes-with-empty-rows.manifest": [],
    "boxes-yolov5-sample.manifest": [],
    "empty.manifest": [(0, "MT100")],
    "failed-rows.jsonl": [(0, "MT105"), (0, "MT212")],
    "input-only.manifest": [],
    "mixed-image-and-text.manifest": [(1, "MT215"), (2, "MT215"), (1, "MT113")],
    "not-augmented-s3prefix.manifest": [(0, "MT100")],
    "point-cloud-input.json": [(0, "MT105"), (1, "MT113")],
    "segmentation-one-row.manifest": [],
    "text-multilabel.manifest": [(0, "MT105")],
    "text-span-ner.manifest": [],
    "workshop-output.manifest": [],
    "workshop-train-lab1.manifest": [],
    "workshop-train.manifest": [(1, "MT114")],
    "workshop-validation-lab1.manifest": [],
    "workshop-validation.manifest": [(1, "MT114")],
}


@pytest.mark.parametrize("name", CORPUS)
def test_a_real_manifest_has_just_these_problems(corpus: Path, name: str) -> None:
    assert codes(validate(str(corpus / name))) == CORPUS[name]


def test_every_file_of_the_corpus_is_in_the_table(corpus: Path) -> None:
    assert {path.name for path in corpus.iterdir()} == {"README.md", *CORPUS}


# The shortcut.

LABELS: list[Any] = [0, 1, "1", -1, True, 1.0, None, [], [0, 1], ["0"], [7], {}, "RH", 10**30, 10**7]
CLASS_MAPS: list[Any] = [
    None,
    {},
    {"0": "RH"},
    {"0": "RH", "1": "LH"},
    {"01": "RH"},
    {"0": " "},
    {"0": "RH\n"},
    {"x": "RH"},
    {"0": 1},
    "RH",
    [],
]
CONFIDENCE_MAPS: list[Any] = [None, {}, {"0": 0.5, "1": 0.1}, {"0": 2}, {"0": None}, {"7": "high"}, 0.5]
FIELDS: dict[str, list[Any]] = {
    "class-name": ["RH", "LH", "", " ", None, 3, "lab#", "é", "\x1b[31m", "x" * 300],
    "confidence": [0, 1, 0.5, -0.1, 1.5, "high", None, True, 10**400],
    "type": [
        "groundtruth/image-classification",
        "GROUNDTRUTH/Image-Classification",
        "groundtruth/image-classification-multilabel",
        "groundtruth/object-detection",
        "groundtruth/semantic-segmentation",
        "groundtruth/label-verification",
        "groundtruth/text-span",
        "groundtruth/custom",
        "other",
        None,
        7,
    ],
    "class-map": CLASS_MAPS,
    "class_map": CLASS_MAPS,
    "confidence-map": CONFIDENCE_MAPS,
    "failure-reason": ["expired", None, 3, []],
    "human-annotated": ["yes", "no", "true", 1, None],
    "creation-date": [
        "2019-05-04T20:35:30",
        "2019-05-04t20:35:30.5z",
        "2019-05-04T20:35:30Z",
        "2019-05-04T20:35",
        "Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)",
        "yesterday",
        20190504,
        None,
    ],
    "adjustment-status": ["adjusted", "unadjusted", "both", 1, None],
    "job-name": ["labeling-job/x", "labeling-job/lab#", "lab#", 3],
    "worker-feedback": [[{"comment": "too wide"}], ["too wide"], "too wide", None],
    "objects": [[{"confidence": 3}], [{"confidence": [1]}], [{"confidence": 0.5}], {}, [3], []],
    "entities": [[{"confidence": 3}], [{"confidence": 0.5}]],
    "internal-color-map": [{"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"}}, {"0": 1}, 3],
    "nested-metadata": [{}, 1],
    "note": ["x", 'a "b" \\', None, 10**400, ["\ud7ff"]],
}
REFS: list[Any] = [
    "s3://b1/a",
    "s3://b1/b",
    "s3://b2/a",
    "s3://lab#-x/a",
    "s3://s3://b1/a",
    "s3://b1",
    "s3:///a",
    "",
    "x",
    7,
    None,
    "s3://b1/a//b",
    "s3://b1/a://b",
]
# What may stand beside a label on any line.
OTHERS: dict[str, list[Any]] = {
    "source": ["text", "lab#", 'he said "no"', "back\\", "s3://s3://b1/x", 3, None],
    "hand-ref": ["s3://b1/mask.png", 3],
    "note": ["lab#", "s3://lab#/x", "s3://s3://x/y", 'a-metadata"', "\x00", 10**400, 1e300],
    "array": [[], [1, "s3://lab#/x", [[]]]],
    "object": [{}, {"type": "x", 'a"b': {"a": "b"}}],
    "$hand": [0, None],
    "hand ": [1],
    "han\u200bd": [1],
    'a.b"c': [1],
    "lab#": [1, None],
    "source-ref-metadata": [{}, 3, {"type": "x", "failure-reason": []}],
    "-metadata": [{}, 3],
    "hand_metadata": [{"type": "groundtruth/image-classification"}, {"class-name": "RH"}, 3],
    "Hands-metadata": [{"type": "groundtruth/image-classification", "failure-reason": None}],
}


def chosen(table: dict[str, list[Any]], most: int = 99) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.sampled_from([(key, value) for key, values in table.items() for value in values])
    few = st.lists(pairs, max_size=most).map(dict)
    every = st.fixed_dictionaries(
        {}, optional={key: st.sampled_from(values) for key, values in table.items()}
    )
    return few if most < 99 else every


usual = st.builds(
    line,
    st.integers(0, 5),
    st.sampled_from([0, 0, 0, 1, "1", 2]),
    confidence=st.floats(0, 1),
    creation_date=st.sampled_from(["2019-05-04T20:35:30", "2020-01-01T00:00:00.5"]),
)
several = st.builds(
    lambda label, named, confidences: {
        "source-ref": "s3://b1/c",
        "tags": label,
        "tags-metadata": {
            "class-map": named,
            "confidence-map": confidences,
            "type": "groundtruth/image-classification-multilabel",
        },
    },
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from("0123"), st.sampled_from(["a", "b"])),
    st.dictionaries(st.sampled_from("0123"), st.floats(-0.5, 1.5)),
)
box = st.fixed_dictionaries(
    {
        "class_id": st.sampled_from([0, 0, 1, 2]),
        "left": st.sampled_from([0, 10, 10.5, -0.5, -0.6]),
        "top": st.sampled_from([0, 10, -0.5, -1]),
        "width": st.sampled_from([1, 5, 90, 90.5, 0.5]),
        "height": st.sampled_from([1, 5, 90, 90.5, 0.5]),
    }
)
BOX = {"class_id": 0, "left": 10, "top": 10, "width": 5, "height": 5}
usual_box = st.just(BOX)
odd_box = st.builds(
    lambda box, change: box | change,
    usual_box,
    st.sampled_from(
        [{"class_id": "0"}, {"class_id": -1}, {"left": "1"}, {"width": 0}, {"height": -1}, {"top": None}]
        + [{"angle": 1}, {"left": 10**400}, {"width": 10**16}, {"class_id": True}, {"top": True}]
    ),
)
SIZES: list[Any] = [
    [{"width": 100, "height": 90, "depth": 3}],
    [{"width": 100, "height": 90}],
    [{"width": 0, "height": 90, "depth": 3}],
    [{"width": 10**400, "height": 90, "depth": 3}],
    [{"width": 1e16, "height": 90, "depth": None}],
    [{"width": 100, "height": 90, "depth": 3}] * 2,
    [{"height": 90, "depth": 3}],
    [{"width": "100", "height": 90, "depth": 3}],
    [],
    [3],
    None,
]
TABLE = {"0": "RH", "1": "LH"}
BOXES_METADATA = {
    "class-map": TABLE,
    "type": "groundtruth/object-detection",
    "creation-date": "2019-05-04T20:35:30",
}


def with_boxes(
    number: int, boxes: list[Any], sizes: Any, spare: int, named: Any, changes: dict[str, Any]
) -> dict[str, Any]:
    confidences = [{"confidence": 0.5}] * max(len(boxes) + spare, 0)
    return {
        "source-ref": f"s3://b1/{number}",
        "boxes": {"image_size": sizes, "annotations": boxes},
        "boxes-metadata": BOXES_METADATA | {"class-map": named, "objects": confidences} | changes,
    }


boxed = st.builds(
    with_boxes,
    st.integers(0, 9),
    st.lists(usual_box, max_size=2) | st.lists(box, max_size=3) | st.lists(odd_box, max_size=2),
    st.sampled_from([SIZES[0]] * 9 + SIZES),
    st.sampled_from([0] * 9 + [1, -1]),
    st.sampled_from([{"0": "RH", "1": "LH"}] * 9 + CLASS_MAPS),
    chosen(FIELDS | {"type": ["groundtruth/object-detection"]}, most=1),
)
other_labels = st.sampled_from(
    [
        {"hand": "s3://b1/mask.png", "hand-metadata": {"type": "groundtruth/semantic-segmentation"}},
        {
            "hand-ref": "s3://b1/mask.png",
            "hand-ref-metadata": {
                "type": "groundtruth/semantic-segmentation",
                "internal-color-map": {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"}},
            },
        },
        {
            "words": {"annotations": {"entities": [], "labels": []}},
            "words-metadata": {"type": "groundtruth/text-span", "entities": []},
        },
        {"check": "1", "check-metadata": metadata(type="groundtruth/label-verification")},
        {"check": 1, "check-metadata": metadata(type="groundtruth/label-verification", worker_feedback=[3])},
        {"sticker": {"x": 1}, "sticker-metadata": {"type": "groundtruth/custom"}},
        {"hand-metadata": {"failure-reason": "expired", "type": "groundtruth/object-detection"}},
        {"finish": 1, "finish-metadata": metadata(class_name="zinc")},
        {"finish": 1, "finish-metadata": metadata(class_name="zinc", adjustment_status="adjusted")},
    ]
)
beside = st.builds(
    lambda one, other, more: one | other | more, usual | several | boxed, other_labels, chosen(OTHERS, 1)
)
nearly = st.builds(
    lambda outer, change: {**outer, "hand-metadata": outer["hand-metadata"] | change},
    usual,
    chosen(FIELDS, most=1),
)
with_more = st.builds(lambda one, more: one | more, usual | several | boxed, chosen(OTHERS, most=2))
strange = st.builds(
    lambda outer, inner, name: {**outer, f"{name}-metadata": inner},
    chosen(
        {
            "source-ref": REFS,
            "hand": LABELS,
            "tags": LABELS,
            "": LABELS,
            "tags-metadata": [None, 3, {}, {"type": "groundtruth/image-classification"}],
        }
        | OTHERS
    ),
    st.one_of(chosen(FIELDS), st.sampled_from([None, [], "x"])),
    st.sampled_from(["hand", "tags", "finish", "lab#-job"]),
)
CLEAN = b'"hand":0,"hand-metadata":{"class-name":"RH","type":"groundtruth/image-classification"}'
escaped = st.sampled_from(
    [
        b'{"source-ref":"s3://b1/a","hand":0,"hand\\u002dmetadata":{"confidence":7}}',
        b'{"source-ref":"s3://b1/a","other-meta\\u0064ata":{"confidence":7},"other":1}',
        b'{"source-ref":"s3:\\/\\/b1\\/a","hand":0,"hand":-1,"hand-metadata":{"type":"x"},"hand-metadata":{}}',
        b'{"source-ref":"s3://b1/a",' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","source-ref":"s3://b1/b",' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","source-r\\u0065f":"s3://b1/b",' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a",' + CLEAN + b',"hand-met\\u0061data":{},' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","hand":0,' + CLEAN + b"}",
        b'{"source-ref" : "s3://b1/a" , "h\\u0061nd":0,' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/\\"a","hand":0,' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a\\\\","hand":0,' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","note":1,"note":2,' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","n":{"a":"\\ud800"},' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","n":{"a":"\xff"},' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","n":[1e999,NaN],' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","n":[1e999],' + CLEAN + b"}",
        b'{"source-ref":"s3://b1/a","n":["\\"","\\\\""],' + CLEAN + b"}",
        b'{"source-ref":"s3:\\/\\/s3:\\/\\/b1/a",' + CLEAN + b"}",
        b'{"source-ref":"s3://la\\u0062#/a"}',
        b'{"source-ref":"s3://b1/a","n":1e999,"hand":0,"hand-metadata":{"class-name":"RH","confidence":0.5}}',
        b'{"source-ref":"s3://b1/a","n":"\xff"}',
        b'{"source-ref":"s3://b1/a","n":1e999,"m":"\xed\xa0\x80"}',
        b'{"source-ref":"s3://b1/\xc3\xa9"}',
        b'{"source-ref":"s3://b1/a"}{"source-ref":"s3://b1/b"}',
        b"{'source-ref': 's3://b1/a'}",
        b"[1]",
        b"null",
        b"{",
        b"",
        b"  ",
        b"\xef\xbb\xbf{}",
        b'{"n":' + b"[" * 3000 + b"]" * 3000 + b"}",
    ]
)


def as_bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


clean_and_not = [one.map(as_bytes) for one in (usual, usual, several, boxed, boxed)]
written = st.one_of(
    *clean_and_not, *(one.map(as_bytes) for one in (nearly, with_more, beside, strange)), escaped, escaped
)
alike_lines = [st.lists(one, min_size=1, max_size=8) for one in (*clean_and_not, escaped)]
# Many lines of one template, and a few of others among them.
mixed = st.builds(
    lambda line, times, others: [line] * times + others,
    st.one_of(usual, several, boxed, nearly, with_more, beside, strange).map(as_bytes) | escaped,
    st.integers(1, 3),
    st.lists(written, max_size=3),
)
files = st.builds(
    lambda lines, newline, last: newline.join(lines) + (newline if last else b""),
    st.one_of(*alike_lines, mixed, mixed, st.lists(written, min_size=1, max_size=8)),
    st.sampled_from([b"\n", b"\n", b"\r\n"]),
    st.booleans(),
)
PURPOSES_OR_NONE = st.sampled_from(["", "", *PURPOSES])


def everything(
    data: bytes, expected: tuple[str, ...], requested: str | None, purpose: str, shortcut: bool
) -> dict[str, Any]:
    part = check_lines(data, RuleContext(expected, requested, purpose), shortcut)
    whole = Facts("a.manifest", requested=requested)
    whole.merge(part.facts, 1)
    of_file = {rule.code: sorted(rule.check(whole)) for rule in of_scope("file", purpose)}
    facts = {field.name: getattr(whole, field.name) for field in fields(whole) if field.name != "keys"}
    return {
        "lines": part.lines,
        "found": [(number, rule.code, found) for number, rule, found in part.found],
        "of the file": of_file,
        "facts": facts,
        "keys": [
            (
                keys.sources.tolist(),
                keys.lines.tolist(),
                {n: c.tolist() for n, c in keys.labels.items() if c.any()},
            )
            for keys in whole.keys
        ],
    }


@settings(max_examples=600, deadline=None)
@given(
    files,
    st.sampled_from([(), ("hand",), ("tags", "hand"), ("boxes",)]),
    st.sampled_from([None, None, "hand", "tags", "boxes"]),
    PURPOSES_OR_NONE,
)
def test_the_shortcut_hides_nothing(
    data: bytes, expected: tuple[str, ...], requested: str | None, purpose: str
) -> None:
    expected = expected if requested is None else (requested,)
    shortcut = everything(data, expected, requested, purpose, True)
    assert shortcut == everything(data, expected, requested, purpose, False)


# Lines that have a label `hand` each, but for the last two.
BASES: dict[str, dict[str, Any]] = {
    "one class": line(1),
    "some classes": {
        **line(1, [1, 0]),
        "hand-metadata": {"type": "groundtruth/image-classification-multilabel", "class-map": TABLE},
    },
    "boxes": {
        **line(1, {"image_size": SIZES[0], "annotations": [BOX, BOX]}),
        "hand-metadata": BOXES_METADATA | {"objects": [{"confidence": 0.5}] * 2},
    },
    "a verdict on another label": line(1, type="groundtruth/label-verification"),
    "a mask": {**line(1, "s3://b1/mask.png"), "hand-metadata": {"type": "groundtruth/semantic-segmentation"}},
    "a chained job": {**line(1), "finish": 0, "finish-metadata": metadata(class_name="zinc")},
    "a failed job": {
        "source-ref": "s3://bucket/a",
        "hand-metadata": {"failure-reason": "expired", "type": "groundtruth/image-classification"},
    },
    "keys of their own": {**line(1), "note": 'a "b"', "array": ['a "b"', {}], "object": {"a": 'b"'}},
    "no label": {"source-ref": "s3://bucket/a"},
    "a text": {"source": "text"},
}
LONG = "x" * 20_001
BESIDE = OTHERS | {
    "source-ref": [*REFS, f"s3://bucket/{LONG}"],
    "hand": LABELS,
    "long": [LONG, [LONG], [[LONG]]],
}


def assert_nothing_is_hidden(one: dict[str, Any], other: dict[str, Any]) -> None:
    for values in ([one, one, other, other], [other, one]):
        data = b"\n".join(map(as_bytes, values))
        for expected, requested in (
            ((), None),
            (("hand",), None),
            (("hand",), "hand"),
            (("finish",), "finish"),
        ):
            ways = [everything(data, expected, requested, "", shortcut) for shortcut in (True, False)]
            assert ways[0] == ways[1]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("key", FIELDS)
def test_the_shortcut_hides_no_value_of_the_metadata(key: str, base: str) -> None:
    one = BASES[base]
    for value in FIELDS[key]:
        assert_nothing_is_hidden(one, one | {"hand-metadata": one.get("hand-metadata", {}) | {key: value}})


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("key", BESIDE)
def test_the_shortcut_hides_no_value_beside_the_metadata(key: str, base: str) -> None:
    for value in BESIDE[key]:
        assert_nothing_is_hidden(BASES[base], BASES[base] | {key: value})


def odd_boxes() -> list[Any]:
    changes: dict[str, list[Any]] = {
        "class_id": ["0", -1, 2, 10**7, True, 1.0, None],
        "left": [-0.5, -0.6, 95.5, 95.6, "1", None, 10**400, 1e16],
        "top": [-0.5, -0.6, 85.5, 85.6, True],
        "width": [0, -1, 1, 0.5, 90.5, 90.6, 1e16],
        "height": [0, 1, 80.5, 80.6, "5"],
        "angle": [1],
    }
    return [BOX | {key: value} for key, values in changes.items() for value in values] + [
        BOX | {"width": 1, "height": 1},
        {key: BOX[key] for key in list(BOX)[1:]},
        3,
    ]


def test_the_shortcut_hides_no_box() -> None:
    for odd in odd_boxes():
        changed = {"image_size": SIZES[0], "annotations": [BOX, odd]}
        assert_nothing_is_hidden(BASES["boxes"], BASES["boxes"] | {"hand": changed})


def test_the_shortcut_hides_no_size_of_a_picture_and_no_number_of_boxes() -> None:
    for sizes in SIZES:
        for boxes in (0, 1, 3):
            changed = {"image_size": sizes, "annotations": [BOX] * boxes}
            assert_nothing_is_hidden(BASES["boxes"], BASES["boxes"] | {"hand": changed})


def test_an_escaped_key_on_one_line_does_not_make_up_for_an_unknown_one_on_another() -> None:
    lines = [
        as_bytes(line(1)).replace(b"hand-metadata", b"hand\\u002dmetadata"),
        as_bytes({**line(2), "late": -1, "late-metadata": metadata()}),
        as_bytes(line(3)),
    ]
    part = check_lines(b"\n".join(lines), RuleContext(("hand",)))
    assert [(number, rule.code) for number, rule, _ in part.found] == [(1, "MT211")]


def proven_clean(data: bytes, *expected: str) -> list[bool]:
    found: list[bool] = prove_clean(data, *line_offsets(data), RuleContext(expected), Facts()).clean.tolist()
    return found


@pytest.mark.parametrize("base", [name for name in BASES if name != "a mask"])
def test_usual_lines_are_proven_clean_by_the_shortcut(base: str) -> None:
    usual, other = as_bytes(BASES[base]), b'{"source-ref":"/x"}'
    assert proven_clean(b"\n".join([usual] * 3), "hand") == [True] * 3
    assert proven_clean(b"\n".join([usual, other, usual]), "hand") == [True, False, True]


def test_a_line_with_a_key_twice_is_not_proven_clean() -> None:
    line = as_bytes(BASES["one class"])
    twice = line.replace(b'"hand":', b'"hand": 1, "hand":')
    assert proven_clean(b"\n".join([line, twice, line]), "hand") == [True, False, True]


@settings(max_examples=20, deadline=None)
@given(files, st.integers(1, 3))
def test_the_report_does_not_depend_on_the_number_of_workers(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, jobs: int
) -> None:
    path = tmp_path_factory.mktemp("jobs") / "a.manifest"
    path.write_bytes(data * 50)
    assert list(validate(str(path), jobs=1)) == list(validate(str(path), jobs=jobs))


def test_blocks_and_workers_change_nothing_in_a_large_manifest(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    lines = many(30_000)
    lines[20_000] = line(5, 1, class_name="LH", confidence=3)
    lines[29_999] = line(7, 0, class_name="LH")
    path = manifest(lines)
    assert Path(path).stat().st_size > 2 * (2 << 20)
    expected = [(20_001, "MT230"), (30_000, "MT301"), (20_001, "MT302"), (30_000, "MT303")]
    assert codes(validate(path, jobs=1)) == expected
    assert codes(validate(path, jobs=2)) == expected


# What only a whole file shows.


def test_a_label_without_metadata_is_found_before_any_line_shows_that_it_is_one(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    bare = [{"source-ref": f"s3://bucket/{number}", "hand": 0} for number in range(3000)]
    assert codes(validate(manifest([*bare, line(1)]))) == [(number, "MT201") for number in range(1, 3001)]


def test_metadata_of_a_label_that_no_line_has_is_none_of_a_label(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    extra = {"annotator-metadata": {"info": "please label all", "type": 3, "creation-date": "soon"}}
    assert codes(validate(manifest([one | extra for one in many(3)]))) == []
    paired = many(3)[0] | extra | {"annotator": "Ada"}
    found = codes(validate(manifest([*(one | extra for one in many(3)), paired])))
    assert [one for one in found if one[1] == "MT203"] == [(1, "MT203"), (2, "MT203"), (3, "MT203")]


def test_metadata_without_any_label_is_told_once_with_the_way_out(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    lines = [{"source-ref": f"s3://lab3/{n}", "side": n, "auto-label-metadata": metadata()} for n in range(3)]
    (found,) = validate(manifest(lines))
    assert (found.code, found.line) == ("MT217", 1)
    assert found.message == (
        "'auto-label-metadata' is on 3 lines, and its label 'auto-label' on none; if its label is one of"
        " 'side', rename 'auto-label-metadata' after that"
    )


def test_a_requested_label_that_only_its_metadata_is_there_of_is_not_there(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    lines = [{"source-ref": "s3://b/1", "hand-metadata": metadata()}]
    assert (0, "MT304") in codes(validate(manifest(lines), label_attribute="hand"))


@pytest.mark.parametrize("label", [0, "0"])
@pytest.mark.parametrize("requested", [None, "class"])
def test_the_built_in_algorithm_needs_no_metadata(
    manifest: Callable[[list[dict[str, Any]]], str], label: Any, requested: str | None
) -> None:
    """AWS's own page prints such lines, and Pipe mode sends the label alone."""
    lines = [{"source-ref": f"s3://bucket/{n}.jpg", "class": type(label)(n % 2)} for n in range(8)]
    lines[3]["class-metadata"] = metadata(class_name="cat")
    for some in (lines, lines[:3]):
        path = manifest(some)
        report = validate(path, preflight=Preflight("builtin"), label_attribute=requested)
        assert not {"MT201", "MT215", "MT503", "MT508"} & {code for _, code in codes(report)}
        assert report.preflight_input is not None
        assert report.preflight_input.names == ("source-ref", "class")
    assert codes(validate(path, label_attribute=requested)) == []


def test_an_input_key_without_metadata_anywhere_is_no_label(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    assert codes(validate(manifest([{**line(number), "page-num": 1} for number in range(3)]))) == []


def test_the_name_of_a_class_that_fewer_lines_have_is_the_wrong_one(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    lines = [line(0, class_name="HR"), line(1), line(2), line(3, class_name="HR"), line(4)]
    (problem,) = validate(manifest(lines))
    assert (problem.line, problem.code) == (1, "MT301")
    assert problem.message == "class 0 is named 'HR' on 2 lines, but 'RH' on 3 lines"


NAMES = [
    pytest.param(("cat", "cat "), "'cat ' on 1 line", "they differ in blanks only", id="blanks"),
    pytest.param(("cat", "Cat"), "'Cat' on 1 line", "they differ in upper and lower case only", id="case"),
    pytest.param(
        ("caf\u00e9", "cafe\u0301"),
        "'cafe\\u0301' on 1 line",
        "they are one text in two Unicode forms",
        id="forms",
    ),
    pytest.param(
        ("cat", "c\u200bat"),
        "'c\\u200bat' on 1 line",
        "they differ only in blanks, case, Unicode form or invisible characters",
        id="what nobody sees",
    ),
]


@pytest.mark.parametrize(("names", "which", "how"), NAMES)
def test_names_that_look_alike_draw_a_warning(
    manifest: Callable[[list[dict[str, Any]]], str], names: tuple[str, str], which: str, how: str
) -> None:
    lines = [
        line(0, 0, class_name=names[0]),
        line(1, 0, class_name=names[0]),
        line(2, 1, class_name=names[1]),
    ]
    (found,) = [one for one in validate(manifest(lines)) if one.code == "MT307"]
    assert (found.severity, found.line) == ("warning", 3)
    assert found.message.startswith(f"class {which} looks like class ") and found.message.endswith(how)


def test_what_nobody_sees_in_a_name_is_named_with_its_place(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    names = ("cat ", "\ufeffdog", "a\u00a0b")
    found = list(validate(manifest([line(at, at, class_name=name) for at, name in enumerate(names)])))
    assert [one.message for one in found if one.code == "MT308"] == [
        "class 'cat ' on 1 line has a blank at one end: U+0020 SPACE at position 4",
        "class '\\ufeffdog' on 1 line has an invisible character: U+FEFF ZERO WIDTH NO-BREAK SPACE at"
        " position 1",
        "class 'a\\xa0b' on 1 line has an invisible character: U+00A0 NO-BREAK SPACE at position 2",
    ]


def test_colour_maps_that_contradict_one_another_are_found(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    def mask(number: int, name: str) -> dict[str, Any]:
        colours = {"0": {"class-name": name, "hex-color": "#ffffff"}}
        fields = {"type": "groundtruth/semantic-segmentation", "internal-color-map": colours}
        return {
            "source-ref": f"s3://bucket/{number}.jpg",
            "m-ref": f"s3://bucket/{number}.png",
            "m-ref-metadata": fields,
        }

    lines = [mask(0, "BACKGROUND"), mask(1, "BACKGROUND"), mask(2, "cracked")]
    (found,) = validate(manifest(lines))
    assert (found.code, found.line) == ("MT301", 3)
    assert found.message == "class 0 is named 'cracked' on 1 line, but 'BACKGROUND' on 2 lines"


def test_two_slashes_together_are_told_once(manifest: Callable[[list[dict[str, Any]]], str]) -> None:
    lines = [line(n) | {"source-ref": f"s3://bucket/a//{n}.jpg"} for n in range(3)]
    (found,) = validate(manifest(lines))
    assert (found.code, found.line) == ("MT118", 1)
    assert found.message.startswith("two slashes together in the key of the picture (on 3 lines)")


def test_rekognition_is_told_a_thing_once_a_picture(manifest: Callable[[list[dict[str, Any]]], str]) -> None:
    """Its own samples have a label attribute for each class, with underscores in the name."""
    label = {"image_size": [{"width": 9, "height": 9, "depth": 3}], "annotations": []}
    value: dict[str, Any] = {"source-ref": "s3://bucket/1.jpg"}
    for name in ("set_sun", "set_sea"):
        fields = {"objects": [], "class-map": {"0": name}, "creation-date": "2020-01-01T00:00:00"}
        of_boxes = {"type": "groundtruth/object-detection", "human-annotated": "yes"}
        value |= {name: label, f"{name}-metadata": fields | of_boxes}
    found = [code for _, code in codes(validate(manifest([value]), preflight=Preflight("rekognition")))]
    assert found == ["MT713", "MT715", "MT724"]
    no_name = metadata()
    del no_name["class-name"]
    value = {"source-ref": "s3://bucket/1.jpg", "a": 0, "a-metadata": no_name}
    found = [code for _, code in codes(validate(manifest([value]), preflight=Preflight("rekognition")))]
    assert found.count("MT705") == 1 and "MT220" not in found


def test_classes_of_two_attributes_need_not_agree(manifest: Callable[[list[dict[str, Any]]], str]) -> None:
    lines = [{**line(1), "finish": 0, "finish-metadata": metadata(class_name="zinc")}]
    assert codes(validate(manifest(lines))) == []


def test_a_picture_with_the_same_label_again_is_a_warning_and_with_another_an_error(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    again = line(1, 1, class_name="LH")
    problems = list(
        validate(manifest([line(1), line(2), line(1), again, {"source-ref": again["source-ref"]}]))
    )
    assert [(p.line, p.code, p.severity) for p in problems] == [
        (3, "MT302", "warning"),
        (5, "MT302", "warning"),
        (4, "MT303", "error"),
    ]
    assert problems[-1].message == "the picture of line 1 again, but here it is class 1 and there class 0"


@pytest.mark.parametrize("kind", ["text-classification", "text-span"])
def test_texts_are_compared_as_pictures_are(
    manifest: Callable[[list[dict[str, Any]]], str], kind: str
) -> None:
    """Their words are their source, of whatever task type the label is."""
    one = {"source": "Fast delivery", "hand": 0, "hand-metadata": metadata(type=f"groundtruth/{kind}")}
    other = one | {"source": "Slow delivery"}
    found = list(validate(manifest([one, other, one])))
    again = ", with the same label" if kind == "text-classification" else ""
    assert [str(one).partition(": ")[2] for one in found if one.code == "MT302"] == [
        f"warning MT302 the text of line 1 again{again}"
    ]


def test_a_text_with_two_labels_and_in_two_parts_is_an_error(in_folder: Path) -> None:
    one = {"source": "Fast delivery", "hand": 0, "hand-metadata": metadata()}
    two = one | {"hand": 1, "hand-metadata": metadata(class_name="LH")}
    Path("a").write_bytes(as_bytes(one) + b"\n" + as_bytes(two) + b"\n")
    Path("b").write_bytes(as_bytes(one) + b"\n")
    found = {str(problem) for problem in validate("a", "b")}
    assert {
        "a:2: error MT303 the text of line 1 again, but here it is class 1 and there class 0",
        "b:1: error MT313 1 text of this file is in a too",
    } <= found


def test_lists_of_the_same_classes_in_another_order_are_the_same_label(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    kind = "groundtruth/image-classification-multilabel"
    named = {"0": "a", "1": "b"}
    lines = [line(1, label, type=kind, class_map=named) for label in ([0, 1], [1, 0], ["1"])]
    for one in lines:
        one["hand-metadata"]["class-map"] = named
    assert codes(validate(manifest(lines))) == [(3, "MT215"), (2, "MT302"), (3, "MT303")]


def test_a_placeholder_that_people_wrote_in_a_text_is_none(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    assert codes(validate(manifest([{"source": "we met in lab#3"}]))) == []


# What is checked, and how it is named.


def test_only_the_label_attribute_that_was_requested_is_checked(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    path = manifest([{**line(1), "finish": -1, "finish-metadata": metadata()}])
    assert codes(validate(path)) == [(1, "MT211")]
    assert codes(validate(path, label_attribute="hand")) == []


def test_a_label_attribute_that_no_line_has_is_a_problem_that_lists_what_there_is(
    manifest: Callable[[list[dict[str, Any]]], str],
) -> None:
    (problem,) = validate(manifest([line(1)]), label_attribute="nahd")
    assert (problem.line, problem.code) == (0, "MT304")
    assert "nahd" in problem.message


def test_a_compressed_manifest_is_checked_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.gz"
    path.write_bytes(gzip.compress(as_bytes(line(1, -1)) + b"\n"))
    (problem,) = validate(str(path))
    assert problem == Problem(
        "MT211", "error", str(path), 1, "$.hand", "class of 'hand': expected a class index from 0, found -1"
    )


def test_a_gzip_file_cut_short_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.gz"
    path.write_bytes(gzip.compress(b"\n".join(map(as_bytes, many(5000))))[:-20])
    assert codes(validate(str(path))) == [(0, "MT100")]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such file"):
        list(validate(str(tmp_path / "a.manifest")))


def test_what_is_no_manifest_keeps_no_other_file_from_being_checked() -> None:
    report = validate(str(SAMPLES / "bad" / "empty.manifest"), str(SAMPLES / "bad" / "no-source.manifest"))
    assert [problem.code for problem in report] == ["MT100", "MT110"]
    assert [(one.lines, one.errors, one.warnings) for one in report.checked] == [(0, 1, 0), (3, 1, 0)]
