import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from manifest_tools.verbs.validate.explain import chosen
from manifest_tools.verbs.validate.fix import DONE, EDITS, fix, fix_line
from manifest_tools.verbs.validate.validate import validate

IMAGE = "groundtruth/image-classification"
EVERY = frozenset(EDITS)
SOUND = (
    b'{"source-ref" :"s3://b-1/k","n":1.10, "h": 0,"h-metadata":{"class-name":"RH","type":"'
    + IMAGE.encode()
    + b'"}}'
)


def line(**parts: Any) -> bytes:
    value = {"source-ref": "s3://b-1/k", "h": 0, "h-metadata": {"class-name": "RH", "type": IMAGE}}
    return json.dumps({key.replace("_", "-"): inner for key, inner in (value | parts).items()}).encode()


@pytest.mark.parametrize(
    ("broken", "fixed"),
    [
        pytest.param(
            b'{"source-ref": "s3://s3://b/k", "n": 1.10}',
            b'{"source-ref": "s3://b/k", "n": 1.10}',
            id="doubled",
        ),
        pytest.param(b'{"m-ref": "s3://s3://s3://b/k"}', b'{"m-ref": "s3://b/k"}', id="tripled, in a label"),
        pytest.param(
            b'{"h": "07", "h-metadata": {"type": "groundtruth/image-classification"}}',
            b'{"h": 7, "h-metadata": {"type": "groundtruth/image-classification"}}',
            id="a string with a zero before it",
        ),
        pytest.param(
            b'{"h": ["1", 2 , "3"], "h-metadata": {"type": "groundtruth/text-classification-multilabel"}}',
            b'{"h": [1, 2 , 3], "h-metadata": {"type": "groundtruth/text-classification-multilabel"}}',
            id="strings in a list",
        ),
        pytest.param(
            b'{"h": 1, "auto-metadata": {"type": "x", "job-name": "labeling-job/h"}}',
            b'{"h": 1, "h-metadata": {"type": "x", "job-name": "labeling-job/h"}}',
            id="metadata whose job has the label's name",
        ),
        pytest.param(
            b'{"normal": 1, "auto-metadata": {"type": "x", "class-name": "normal"}}',
            b'{"normal": 1, "normal-metadata": {"type": "x", "class-name": "normal"}}',
            id="a label called after its class",
        ),
        pytest.param(
            b'{"my_h": 1, "My-H-Metadata": {"type": "groundtruth/image-classification"}}',
            b'{"my_h": 1, "my_h-metadata": {"type": "groundtruth/image-classification"}}',
            id="metadata spelt nearly as its label",
        ),
    ],
)
def test_what_has_one_right_answer_is_fixed_and_nothing_else_changes(broken: bytes, fixed: bytes) -> None:
    assert fix_line(broken, json.loads(broken), EVERY)[0] == fixed


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(SOUND, id="a sound line"),
        pytest.param(b'{"note": "see s3://s3://b/k"}', id="a text that speaks of a URI"),
        pytest.param(b'{"source": "s3://s3:// is what Ada wrote"}', id="a text that begins with a URI"),
        pytest.param(
            b'{"page-num": 4, "kind-metadata": {"type": "groundtruth/image-classification"}}',
            id="another key beside metadata whose label is not there",
        ),
        pytest.param(
            b'{"c": "1", "c-metadata": {"type": "groundtruth/label-verification"}}', id="a verification"
        ),
        pytest.param(
            b'{"h": "RH", "h-metadata": {"type": "groundtruth/image-classification"}}',
            id="a name as index",
        ),
        pytest.param(b'{"h": 1, "g": 2, "auto-metadata": {"type": "x"}}', id="two labels"),
        pytest.param(
            b'{"h": 1, "a-metadata": {"type": "x"}, "b-metadata": {"type": "x"}}', id="two metadata"
        ),
        pytest.param(b'{"h": 1, "a-metadata": {"failure-reason": "expired"}}', id="a failed line"),
    ],
)
def test_what_has_no_one_right_answer_is_left_alone(kept: bytes) -> None:
    assert fix_line(kept, json.loads(kept), EVERY) == (kept, [])


@pytest.fixture
def broken(in_folder: Path) -> Path:
    """A manifest with everything that can be fixed, and a sound line with its own spelling."""
    path = Path("a.manifest")
    first = line(source_ref="s3://s3://b-1/1", h="0")
    stray = first.replace(b"h-metadata", b"h_metadata").replace(b"/1", b"/2")
    path.write_bytes(b"\n".join([first, b"", SOUND, b"  ", stray, b"not json"]))
    return path


def test_every_code_that_can_be_fixed_is_and_what_cannot_be_read_stays(broken: Path) -> None:
    (fixed,) = fix("a.manifest")
    assert fixed.counts == {"MT104": 2, "MT105": 1, "MT115": 2, "MT213": 1, "MT215": 2}
    lines = broken.read_bytes().split(b"\n")
    assert lines[1] == SOUND
    assert lines[3:] == [b"not json", b""]
    assert {problem.code for problem in validate("a.manifest")} == {"MT102"}


def test_once_more_there_is_nothing_to_fix_and_the_file_is_not_touched(broken: Path) -> None:
    fix("a.manifest")
    before = broken.stat()
    assert [fixed.counts.total() for fixed in fix("a.manifest")] == [0]
    assert broken.stat().st_ino == before.st_ino


def test_a_dry_run_counts_and_writes_nothing(broken: Path) -> None:
    before = broken.read_bytes()
    (fixed,) = fix("a.manifest", dry_run=True)
    assert fixed.counts.total() == 8
    assert broken.read_bytes() == before


def test_only_the_selected_codes_are_fixed(broken: Path) -> None:
    (fixed,) = fix("a.manifest", select=chosen(("MT104",), ()))
    assert fixed.counts == {"MT104": 2}
    assert b"s3://s3://" in broken.read_bytes()


def test_lines_end_as_they_did(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(SOUND + b"\r\n\r\n" + SOUND)
    fix("a.manifest")
    assert Path("a.manifest").read_bytes() == (SOUND + b"\r\n") * 2


@pytest.mark.parametrize("name", ["-", "a.manifest.gz"])
def test_what_has_no_place_is_refused(in_folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip
    import io
    import sys

    Path("a.manifest.gz").write_bytes(gzip.compress(SOUND + b"\n"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SOUND + b"\n")))
    with pytest.raises(Refused, match="cannot be fixed in place"):
        fix(name)


def test_what_is_no_manifest_is_left_for_validate_to_report(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(b"[\n]\n")
    assert fix("a.manifest") == []


def test_every_code_with_an_edit_says_what_was_done() -> None:
    assert set(DONE) == {"MT104", "MT105", *EDITS}


labels: st.SearchStrategy[Any] = st.sampled_from([0, "0", "17", "RH", None, ["1"], [1, "2"], {}, True])
refs = st.sampled_from(["s3://b-1/k", "s3://s3://b-1/k", "s3://s3://", "x"])
metadata_keys = st.sampled_from(["h-metadata", "h_metadata", "auto-metadata", "source-ref-metadata"])
kinds = st.sampled_from([IMAGE, f"{IMAGE}-multilabel", "groundtruth/label-verification", "other"])


@given(labels, refs, metadata_keys, kinds)
def test_a_fix_is_done_once_and_leaves_no_such_problem(label: Any, ref: str, key: str, kind: str) -> None:
    spelt = json.dumps({"source-ref": ref, "h": label, key: {"class-name": "x", "type": kind}}).encode()
    done = True
    while done:
        spelt, codes = fix_line(spelt, json.loads(spelt), EVERY)
        done = bool(codes)
    from manifest_tools.verbs.validate.engine.run_rules import RuleContext, run_rules

    assert not {rule.code for rule, _ in run_rules(spelt, RuleContext())[0]} & EVERY


def unpaired(number: int, name: str, key: str = "normal") -> bytes:
    """Return a line whose metadata has another name than its label."""
    metadata = {"type": "groundtruth/image-classification", "class-name": name}
    value = {"source-ref": f"s3://bucket/{number}", key: number % 2, "auto-label-metadata": metadata}
    return json.dumps(value).encode() + b"\n"


def test_all_metadata_of_one_label_is_renamed_although_only_some_lines_show_whose_it_is(
    in_folder: Path,
) -> None:
    """A public file of 1,140 lines names the class as the key on 1,026 of them."""
    path = in_folder / "a.manifest"
    path.write_bytes(unpaired(0, "anomaly") + unpaired(1, "normal") + unpaired(2, "anomaly"))
    (found,) = [one for one in validate(str(path)) if one.code == "MT213"]
    assert found.message.endswith("expected 'normal-metadata', found 'auto-label-metadata' (on 3 lines)")
    (fixed,) = fix(str(path))
    assert fixed.counts == {"MT213": 3}
    assert list(validate(str(path))) == []


def test_none_is_renamed_where_a_line_leaves_it_open_whose_the_metadata_is(in_folder: Path) -> None:
    path = in_folder / "a.manifest"
    before = unpaired(0, "normal") + unpaired(1, "anomaly", "odd")
    path.write_bytes(before)
    (found,) = [one for one in validate(str(path)) if one.code == "MT213"]
    assert "--fix leaves all as they are" in found.message
    (fixed,) = fix(str(path))
    assert (fixed.counts, path.read_bytes()) == ({}, before)


def test_an_index_is_written_as_a_number_on_lines_without_metadata_too(in_folder: Path) -> None:
    path = in_folder / "a.manifest"
    metadata = {"type": "groundtruth/image-classification", "class-name": "cat"}
    path.write_text(
        json.dumps({"source-ref": "s3://b/1", "class": "0"})
        + "\n"
        + json.dumps({"source-ref": "s3://b/2", "class": "1", "class-metadata": metadata})
        + "\n"
    )
    (fixed,) = fix(str(path))
    assert fixed.counts == {"MT215": 2}
    assert [json.loads(row)["class"] for row in path.read_text().splitlines()] == [0, 1]
