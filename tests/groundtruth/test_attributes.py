import itertools
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, InvalidLine, Refused
from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.record import Peek, decoder, state
from manifest_tools.groundtruth.survey import MOST_ATTRIBUTES, label_attribute, survey, survey_lines
from manifest_tools.io.sources import HEAD, Source, open_source
from manifest_tools.verbs.stats.stats import stats
from manifest_tools.verbs.validate.validate import validate

if TYPE_CHECKING:
    from typer.testing import Result

SINGLE = "groundtruth/image-classification"
MULTI = "groundtruth/image-classification-multilabel"


def line(**members: Any) -> bytes:
    """Return a line; ``_`` in a name stands for a hyphen."""
    found = {"source-ref": "s3://b/k"} | {key.replace("_", "-"): value for key, value in members.items()}
    return json.dumps(found).encode() + b"\n"


A = line(a=1, a_metadata={"type": SINGLE, "class-name": "x"})
B = line(b=[1], b_metadata={"type": MULTI, "class-map": {"1": "x"}})
PLAIN = line()
FAILED = line(a_metadata={"type": SINGLE, "failure-reason": "nobody came"})
FAR = PLAIN * (HEAD // len(PLAIN) + 10)


def source(content: bytes, folder: Path, kind: str = "file") -> Source:
    if kind == "pipe":
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(content,))
        writer.start()
        opened = open_source(str(pipe))
        writer.join()
        return opened
    path = folder / "a.manifest"
    path.write_bytes(content)
    return open_source(str(path))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param({"a": 1, "a-metadata": {}}, {"a": "a-metadata"}, id="a label with its metadata"),
        pytest.param({"a-metadata": {"failure-reason": "x"}}, {"a": "a-metadata"}, id="metadata alone"),
        pytest.param({"a": 1}, {}, id="no metadata"),
        pytest.param({"a": 1, "a-metadata": None}, {}, id="metadata that is null"),
        pytest.param({"a": 1, "a-metadata": []}, {}, id="metadata that is a list"),
        pytest.param({"source-ref": "s", "source-ref-metadata": {}}, {}, id="metadata of the picture"),
        pytest.param({"source": "s", "source-metadata": {}}, {}, id="metadata of the text"),
        pytest.param({"-metadata": {}}, {}, id="no name at all"),
        pytest.param(
            {"a-ref": "s", "a-ref-metadata": {}}, {"a-ref": "a-ref-metadata"}, id="a -ref with its own"
        ),
        pytest.param(
            {"a-ref": "s", "a-metadata": {}}, {"a-ref": "a-metadata"}, id="a -ref with the short one"
        ),
        pytest.param(
            {"a": 1, "a-metadata": {}, "b": 2, "b-metadata": {}},
            {"a": "a-metadata", "b": "b-metadata"},
            id="two",
        ),
        pytest.param({}, {}, id="nothing"),
        pytest.param([], {}, id="no object"),
        pytest.param(None, {}, id="null"),
    ],
)
def test_what_is_a_label_attribute(value: Any, found: dict[str, str]) -> None:
    assert {one.name: one.metadata_key for one in attributes_of(value)} == found


def test_a_failed_line_of_a_segmentation_job_is_of_the_same_attribute(tmp_path: Path) -> None:
    content = line(a_ref="s3://b/mask.png", a_metadata={}) + line(a_metadata={"failure-reason": "x"})
    assert list(survey(source(content, tmp_path)).attributes) == ["a-ref"]


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        pytest.param({"a": 1}, SINGLE, id="an index"),
        pytest.param({"a": "1"}, SINGLE, id="digits"),
        pytest.param({"a": [0, 1]}, MULTI, id="a list"),
        pytest.param({"a": []}, MULTI, id="an empty list"),
        pytest.param({"a": True}, "", id="a truth value"),
        pytest.param({"a": {"annotations": []}}, "", id="an object"),
        pytest.param({"a": 1.5}, "", id="a float"),
        pytest.param({}, "", id="no label"),
    ],
)
def test_a_line_that_says_no_type_has_the_one_of_its_form(members: dict[str, Any], kind: str) -> None:
    value = {"source-ref": "s3://b/k", **members, "a-metadata": {}}
    assert [one.type for one in attributes_of(value)] == [kind]


@given(
    st.sampled_from([None, 0, "1", [], "absent"]),
    st.sampled_from([{}, {"failure-reason": "x"}, {"failure-reason": None}, {"failure-reason": ""}]),
)
def test_survey_and_row_say_the_same_of_a_line(label: Any, metadata: dict[str, Any]) -> None:
    value = {"a-metadata": metadata} | ({} if label == "absent" else {"a": label})
    row = decoder(Peek("a", "a-metadata")).decode(json.dumps(value).encode())
    assert [one.state for one in attributes_of(value)] == [state(row)]


@given(st.lists(st.sampled_from([A, B, PLAIN, FAILED, b"\n", b"  \r\n"]), max_size=12), st.integers(0, 12))
def test_a_survey_of_two_halves_is_that_of_the_whole(lines: list[bytes], at: int) -> None:
    whole = survey_lines(b"".join(lines))
    halves = survey_lines(b"".join(lines[:at]))
    halves.merge(survey_lines(b"".join(lines[at:])))
    assert halves == whole
    assert whole.lines == len(lines)
    assert whole.objects == sum(one.strip() != b"" for one in lines)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_survey_counts_lines_by_what_became_of_them(tmp_path: Path, jobs: int) -> None:
    found = survey(source(A * 3 + b"\n" + FAILED * 2 + PLAIN + B, tmp_path), jobs)
    assert (found.lines, found.objects) == (8, 7)
    assert {name: (one.type, one.labelled, one.failed) for name, one in found.attributes.items()} == {
        "a": (SINGLE, 3, 2),
        "b": (MULTI, 1, 0),
    }
    assert found.keys["source-ref"] == 7


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        pytest.param(A, "a", SINGLE, id="one line"),
        pytest.param(FAILED + A, "a", SINGLE, id="a failed one first"),
        pytest.param(FAILED, "a", SINGLE, id="nothing but failures"),
        pytest.param(PLAIN * 3 + A, "a", SINGLE, id="unlabelled ones first"),
        pytest.param(FAR + A, "a", SINGLE, id="unlabelled ones for 64 kB"),
        pytest.param(line(x="y" * 2 * HEAD) + A, "a", SINGLE, id="a first line of 128 kB"),
        pytest.param(line(x="y" * 2 * HEAD, b=[1], b_metadata={}), "b", MULTI, id="one line of 128 kB"),
        pytest.param(b"\n\r\n" + A.rstrip(), "a", SINGLE, id="blank lines, no final newline"),
        pytest.param(
            b'{"a":1,"a\\u002dmetadata":{"type":"' + SINGLE.encode() + b'"}}',
            "a",
            SINGLE,
            id="a key with an escape",
        ),
        pytest.param(
            b'{"a":1,"a-metadata":{"type":"x"},"a-metadata":{"type":"%s"}}' % SINGLE.encode(),
            "a",
            SINGLE,
            id="metadata twice, the last counts",
        ),
    ],
)
def test_the_only_attribute_is_found(tmp_path: Path, content: bytes, name: str, kind: str) -> None:
    found = label_attribute(source(content, tmp_path))
    assert (found.name, found.type, found.requested) == (name, kind, False)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(A, id="one line"),
        pytest.param(PLAIN * 3 + A, id="unlabelled ones first"),
        pytest.param(
            FAR + A,
            id="unlabelled ones for 64 kB",
        ),
        pytest.param(
            line(x="y" * 2 * HEAD) + A,
            id="a first line of 128 kB",
        ),
    ],
)
@pytest.mark.parametrize("requested", [None, "a"])
def test_the_only_attribute_of_a_pipe_is_found(tmp_path: Path, content: bytes, requested: str | None) -> None:
    assert label_attribute(source(content, tmp_path, "pipe"), requested).name == "a"


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_of_several_it_lists_name_type_and_coverage(tmp_path: Path, kind: str) -> None:
    content = A * 3 + B + line(c={}, c_metadata={}) + PLAIN
    with pytest.raises(Refused) as raised:
        label_attribute(source(content, tmp_path, kind))
    assert str(raised.value).partition(": ")[2] == (
        "it has the label attributes a (image-classification, 3 of 6 lines), "
        "b (image-classification-multilabel, 1 of 6 lines), c (no type, 1 of 6 lines); "
        "type --label-attribute a (or another of them)"
    )


@pytest.mark.parametrize("kind", ["file", "pipe"])
@pytest.mark.parametrize("requested", ["a", "b"])
def test_the_one_that_was_requested_is_taken(tmp_path: Path, kind: str, requested: str) -> None:
    found = label_attribute(source(A + B, tmp_path, kind), requested)
    assert (found.name, found.requested, found.peek().exclusive) == (requested, True, False)


@pytest.mark.parametrize("requested", ["c", "", "A", "a-metadata ", "\x1b[2J"])
def test_one_that_no_line_has_is_refused(tmp_path: Path, requested: str) -> None:
    with pytest.raises(Refused, match="no line has the label attribute") as raised:
        label_attribute(source(A, tmp_path), requested)
    assert "it has the label attributes a" in str(raised.value)
    assert str(raised.value).isprintable()


def test_a_key_without_metadata_may_be_told(tmp_path: Path) -> None:
    found = label_attribute(source(line(a=1), tmp_path), "a")
    assert (found.name, found.metadata_key) == ("a", "a-metadata")
    assert found.type == "groundtruth/image-classification"


def test_a_manifest_without_labels_says_what_its_lines_have(tmp_path: Path) -> None:
    with pytest.raises(
        BadData, match="no line has a label; its lines have source-ref, x; type --label-attribute NAME if"
    ):
        label_attribute(source(line(x="a note") * 3, tmp_path))


@pytest.mark.parametrize("requested", [None, "a"])
def test_a_line_that_cannot_be_read_is_named_where_no_label_is_found_before_it(
    tmp_path: Path, requested: str | None
) -> None:
    with pytest.raises(InvalidLine, match=r"a\.manifest:2: not JSON"):
        label_attribute(source(PLAIN + b"{oops\n" + PLAIN, tmp_path), requested)


def test_in_a_pipe_as_well(tmp_path: Path) -> None:
    with pytest.raises(InvalidLine, match="pipe:2: not JSON"):
        label_attribute(source(A + b"{oops\n", tmp_path, "pipe"))


LATE = pytest.mark.parametrize(
    "late",
    [
        pytest.param(B, id="another one"),
        pytest.param(line(b_metadata={"failure-reason": "x"}), id="another that failed"),
        pytest.param(B.replace(b"b-metadata", b"b\\u002dmetadata"), id="another with an escaped key"),
        pytest.param(line(a=1, a_metadata={}, b=[1], b_metadata={}), id="both on a line"),
    ],
)


@LATE
@pytest.mark.parametrize("verb", [("filter", "--labelled"), ("split", "--dry-run")], ids=["filter", "split"])
def test_an_attribute_that_comes_after_64_kilobytes_is_never_taken_for_unlabelled(
    in_folder: Path, run: "Callable[..., Result]", late: bytes, verb: tuple[str, ...]
) -> None:
    Path("a.manifest").write_bytes(A * (HEAD // len(A) + 5) + late + A)
    result = run(verb[0], "a.manifest", *verb[1:])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "it has the label attributes a (" in result.stderr
    assert ", b (" in result.stderr
    assert "--label-attribute" in result.stderr


@LATE
def test_nor_from_standard_input(run: "Callable[..., Result]", late: bytes) -> None:
    result = run("filter", "-", "--labelled", input=A * (HEAD // len(A) + 5) + late + A)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert ", b (" in result.stderr


@pytest.mark.parametrize("order", list(itertools.permutations([A, B, PLAIN])), ids=lambda o: "")
def test_the_order_of_lines_changes_no_answer(tmp_path: Path, order: tuple[bytes, ...]) -> None:
    with pytest.raises(Refused, match=r"a \(image-classification, 1 of 3 lines\)") as raised:
        label_attribute(source(b"".join(order), tmp_path))
    assert "b (image-classification-multilabel, 1 of 3 lines)" in str(raised.value)


REAL = {
    "workshop-output.manifest": ("lab1-labeling-job", SINGLE),
    "text-multilabel.manifest": (None, "groundtruth/text-classification-multilabel"),
    "failed-rows.jsonl": ("mock_job_name", "groundtruth/custom"),
    "segmentation-one-row.manifest": ("S10-label3-ref", "groundtruth/semantic-segmentation"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_manifests(corpus: Path, name: str) -> None:
    attribute, kind = REAL[name]
    found = label_attribute(open_source(str(corpus / name)))
    assert found.type == kind
    assert attribute in (None, found.name)


@pytest.mark.parametrize("name", ["input-only.manifest", "point-cloud-input.json"])
def test_real_inputs_without_a_label(corpus: Path, name: str) -> None:
    with pytest.raises(BadData, match="no line has a label; its lines have only"):
        label_attribute(open_source(str(corpus / name)))


@pytest.mark.parametrize("apart", [True, False], ids=["a line each", "one line"])
def test_more_attributes_than_any_job_makes_are_no_reason_to_run_out_of_memory(
    tmp_path: Path, apart: bool
) -> None:
    rows = [{f"a{n}": 0, f"a{n}-metadata": {"type": SINGLE}} for n in range(MOST_ATTRIBUTES + 1)]
    together = {key: value for row in rows for key, value in row.items()}
    lines = rows if apart else [together]
    path = str(tmp_path / "a.manifest")
    Path(path).write_text("\n".join(map(json.dumps, lines)))
    for look in (stats, lambda name: list(validate(name))):
        with pytest.raises(BadData, match="at most 100 label attributes"):
            look(path)
    assert stats(path, "a7").attributes[0].name == "a7"
    list(validate(path, label_attribute="a7"))
    with pytest.raises(Refused, match=r"a7 \(.*\) and 93 more; type --label-attribute a0"):
        label_attribute(open_source(path))


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        pytest.param("s3://b/1.png", "", id="a URI, which may be a mask or a sequence"),
        pytest.param(
            {"annotations": [], "image_size": []}, "groundtruth/object-detection", id="boxes by their form"
        ),
        pytest.param({"annotations": {"entities": []}}, "groundtruth/text-span", id="entities by their form"),
        pytest.param({"annotations": 1}, "", id="another object"),
        pytest.param([0], "groundtruth/image-classification-multilabel", id="a list"),
        pytest.param("0", "groundtruth/image-classification", id="digits"),
    ],
)
def test_a_label_without_type_has_the_type_of_its_form(label: object, kind: str) -> None:
    (found,) = attributes_of({"source-ref": "s3://b/1", "x": label, "x-metadata": {}})
    assert found.type == kind
