"""Outputs of chained and of adjustment jobs, and real manifests."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.edits.rename import RenameAttribute
from manifest_tools.verbs.merge.merge import merge
from manifest_tools.verbs.rewrite.rewrite import rewrite
from tests.chained_lines import ADJUSTED, UNADJUSTED, attribute, boxes, kind, row, values
from tests.ground_truth import line, lines_of, write


def test_labels_of_two_jobs_for_one_picture_go_on_one_line_with_their_bytes(tmp_path: Path) -> None:
    one = b'{"source-ref": "s3://raw/1.jpg", "kind": 1, "kind-metadata": {"class-name": "LH", "x": 1.10}}'
    two = (
        b'{"boxes-metadata" : {"type":"groundtruth/object-detection", "x": 1.10},'
        b' "source-ref":"s3://raw/1.jpg","boxes": {"annotations": [ ]}}'
    )
    a, b = write(tmp_path / "a", one), write(tmp_path / "b", two)
    found = merge(a, b, output=str(tmp_path / "out"), rejects=str(tmp_path / "rest"))
    assert lines_of(tmp_path / "out") == [
        b'{"source-ref": "s3://raw/1.jpg", "kind": 1, "kind-metadata": {"class-name": "LH", "x": 1.10}, '
        b'"boxes-metadata" : {"type":"groundtruth/object-detection", "x": 1.10}, '
        b'"boxes": {"annotations": [ ]}}'
        b"\n"
    ]
    assert lines_of(tmp_path / "rest") == [two + b"\n"]
    assert [one.overlaid for one in found.manifests] == [1, 0]
    assert found.manifests[1].left_out == {"overlaid": 1}


@given(
    st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.booleans()), min_size=1, max_size=8),
    st.integers(0, 7),
)
def test_the_input_and_the_output_of_a_chained_job_make_its_output_and_what_it_left_out(
    drawn: list[tuple[int, bool, bool]], cut: int
) -> None:
    first = [row(n, kind(index)) for n, (index, _, _) in enumerate(drawn)]
    second = [
        row(n, kind(index), *([boxes("boxes", (0, n))] if boxed else []))
        for n, (index, boxed, there) in enumerate(drawn)
        if there or n == 0
    ]
    second = second[cut % len(second) :] + second[: cut % len(second)]
    with TemporaryDirectory() as name:
        a, b = write(Path(name) / "a", *first), write(Path(name) / "b", *second)
        merge(a, b, output=f"{name}/out", jobs=1)
        out = lines_of(f"{name}/out")
    by_picture = {json.loads(found)["source-ref"]: found for found in second}
    expected = [by_picture.get(json.loads(found)["source-ref"], found) + b"\n" for found in first]
    assert out == expected


def test_many_lines_get_their_labels_from_lines_anywhere_in_another_manifest(tmp_path: Path) -> None:
    count = 3000
    a = write(tmp_path / "a", *(row(n, kind(n % 2)) for n in range(count)))
    pads = [attribute("pad", "x" * 40 * (n % 90), "groundtruth/custom") for n in range(count)]
    order = [n * 1009 % count for n in range(count)]
    b = write(tmp_path / "b", *(row(n, boxes("boxes", (n % 2, n)), pads[n]) for n in order))
    merge(a, b, output=str(tmp_path / "out"))
    expected = [row(n, kind(n % 2), boxes("boxes", (n % 2, n)), pads[n]) + b"\n" for n in range(count)]
    assert lines_of(tmp_path / "out") == expected


def test_a_label_replaces_the_failure_on_the_first_line(tmp_path: Path) -> None:
    failure = {"boxes-metadata": {"failure-reason": "expired"}}
    a = write(tmp_path / "a", row(1, kind(0), failure), row(2, kind(1), boxes("boxes", (0, 3))))
    b = write(tmp_path / "b", row(1, boxes("boxes", (1, 5))), row(2, failure))
    merge(a, b, output=str(tmp_path / "out"))
    one, two = values(tmp_path / "out")
    assert one == {**json.loads(row(1, kind(0), boxes("boxes", (1, 5))))}
    assert two == json.loads(row(2, kind(1), boxes("boxes", (0, 3))))


def test_a_conflict_over_one_label_is_decided_for_that_label_alone(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, kind(0), boxes("boxes", (0, 3))))
    b = write(tmp_path / "b", row(1, kind(1), boxes("masks", (1, 5))))
    with pytest.raises(BadData, match="different labels"):
        merge(a, b, output=str(tmp_path / "out"))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="last")
    assert values(tmp_path / "out") == [
        json.loads(row(1, kind(1), boxes("boxes", (0, 3)), boxes("masks", (1, 5))))
    ]
    assert (found.conflicts, [one.won for one in found.manifests]) == (1, [0, 1])


def test_label_attributes_of_different_names_are_refused_or_get_the_requested_name(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, kind(0, "lab1-kind")), row(2, kind(0, "lab1-kind")))
    b = write(tmp_path / "b", row(2, kind(0, "lab2-kind")), row(3, kind(1, "lab2-kind")))
    out = tmp_path / "out"
    with pytest.raises(
        Refused, match=r"\) in .*b; to give both labels one name, type --label-attribute lab1-kind"
    ):
        merge(a, b, output=str(out))
    found = merge(a, b, output=str(out), label_attribute="kind")
    assert lines_of(out) == [row(1, kind(0)) + b"\n", row(2, kind(0)) + b"\n", row(3, kind(1)) + b"\n"]
    assert [one.renamed for one in found.manifests] == [2, 1]
    found = merge(a, b, output=str(out), label_attribute="lab1-kind", force=True)
    assert [one.renamed for one in found.manifests] == [0, 1]
    assert lines_of(out)[:2] == lines_of(a)


def test_renaming_does_what_rewrite_does(tmp_path: Path) -> None:
    rows = [line(n, n % 3) for n in range(5)]
    a, b = write(tmp_path / "a", *rows), write(tmp_path / "b", *rows[:2])
    merge(a, b, output=str(tmp_path / "out"), label_attribute="sort")
    rewrite(a, edits=[RenameAttribute("kind", "sort")])
    assert (tmp_path / "out").read_bytes() == Path(a).read_bytes()


@pytest.mark.parametrize(
    ("first", "second", "requested", "message"),
    [
        (kind(0), boxes("boxes", (0, 1)), None, "to append one to the other, type cat .*a .*b$"),
        (kind(0), boxes("boxes", (0, 1)), "kind", "to append one to the other, type cat .*a .*b$"),
        (
            kind(0),
            boxes("kind", (0, 1)),
            None,
            "'kind' is image-classification in .*a and object-detection in",
        ),
        (
            kind(0),
            {**kind(0, "k"), **kind(1, "l")},
            "kind",
            "kind could mean 'k' or 'l'; .*: mtool rewrite .*b --rename-attribute k=kind$",
        ),
        (kind(0), {**kind(0, "k"), **kind(1, "l")}, "m", "m could mean 'k' or 'l'"),
        (attribute("m-ref", "s3://b/1.png", "groundtruth/semantic-segmentation"), {}, "m", "attribute m-ref"),
        ({}, {}, "kind", "no manifest has a label attribute that --label-attribute kind can name"),
    ],
    ids=[
        "labels of two types on other pictures",
        "labels of two types, and one of them requested",
        "one name for labels of two types",
        "two attributes that could be the requested one",
        "two attributes that could get a new name",
        "a reference that would lose its -ref",
        "a name for labels that are not there",
    ],
)
def test_merge_refuses(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], requested: str | None, message: str
) -> None:
    a, b = write(tmp_path / "a", row(1, first)), write(tmp_path / "b", row(2, second))
    with pytest.raises(Refused, match=message):
        merge(a, b, output=str(tmp_path / "out"), label_attribute=requested)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("requested", ["boxes", "better", "best"], ids=lambda name: f"called {name}")
@pytest.mark.parametrize("chained", [True, False], ids=["beside the original", "alone"])
@pytest.mark.parametrize("files", [("o", "a"), ("a", "o")], ids=["original first", "adjusted first"])
def test_an_adjusted_label_counts_where_it_was_adjusted_and_the_original_elsewhere(
    tmp_path: Path, requested: str, chained: bool, files: tuple[str, str]
) -> None:
    originals = [boxes("boxes", (0, n), job_name="one") for n in range(4)]
    adjusted = [
        boxes("better", (0, 100), (1, 200), job_name="two", **ADJUSTED),
        boxes("better", (0, 1), job_name="two", **UNADJUSTED),
        {"better-metadata": {"failure-reason": "expired"}},
    ]
    write(tmp_path / "o", *(row(n, one) for n, one in enumerate(originals)))
    beside = originals if chained else [{}] * 4
    write(tmp_path / "a", *(row(n, beside[n], one) for n, one in enumerate(adjusted)))
    out = tmp_path / "out"
    found = merge(*(str(tmp_path / name) for name in files), output=str(out), label_attribute=requested)
    by_picture = {value["source-ref"]: value for value in values(out)}
    expected = [
        boxes(requested, (0, 100), (1, 200), job_name="two", **ADJUSTED),
        *(boxes(requested, (0, n), job_name="one") for n in (1, 2, 3)),
    ]
    assert by_picture == {f"s3://raw/{n}.jpg": json.loads(row(n, one)) for n, one in enumerate(expected)}
    assert (found.conflicts, sum(one.adjusted for one in found.manifests)) == (0, 1)
    again = merge(str(out), output=str(tmp_path / "again"), label_attribute=requested)
    assert (tmp_path / "again").read_bytes() == out.read_bytes()
    assert again.kept == 4


def test_on_one_line_the_later_of_two_adjustments_counts(tmp_path: Path) -> None:
    a = write(
        tmp_path / "a",
        row(1, boxes("b", (0, 1)), boxes("c", (0, 2), **ADJUSTED), boxes("d", (0, 3), **ADJUSTED)),
        row(2, boxes("b", (0, 1)), boxes("c", (0, 2), **ADJUSTED), boxes("d", (0, 2), **UNADJUSTED)),
    )
    merge(a, output=str(tmp_path / "out"), label_attribute="b")
    assert [value["b"]["annotations"][0]["left"] for value in values(tmp_path / "out")] == [3, 2]
    assert [list(value) for value in values(tmp_path / "out")] == [["source-ref", "b", "b-metadata"]] * 2


def test_without_a_name_an_adjustment_stays_beside_its_original_and_a_note_says_so(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, boxes("b", (0, 1))), row(2, boxes("b", (0, 1))))
    b = write(tmp_path / "b", row(1, boxes("b", (0, 1)), boxes("c", (0, 2), **ADJUSTED)))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert [list(value)[1::2] for value in values(tmp_path / "out")] == [["b", "c"], ["b"]]
    assert found.notes == (
        "'c' adjusts 'b'; --label-attribute b makes them one label: the adjusted one where there is one",
    )


def test_an_adjustment_of_one_of_two_originals_is_refused(tmp_path: Path) -> None:
    pairs = (boxes("cars", (0, 1)), boxes("people", (0, 2)), boxes("better", (0, 3), **ADJUSTED))
    a = write(tmp_path / "a", row(1, *pairs))
    with pytest.raises(Refused, match="'better' adjusts 'cars' or 'people', and nothing says which"):
        merge(a, a, output=str(tmp_path / "out"), label_attribute="cars")


@pytest.mark.parametrize(
    "name",
    [
        "boxes-textract-1",
        "boxes-with-empty-rows",
        "boxes-yolov5-sample",
        "input-only",
        "mixed-image-and-text",
        "segmentation-one-row",
        "text-multilabel",
        "text-span-ner",
        "workshop-output",
    ],
)
def test_a_real_manifest_merged_with_itself_is_itself(corpus: Path, tmp_path: Path, name: str) -> None:
    path = corpus / f"{name}.manifest"
    found = merge(str(path), str(path), output=str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == path.read_bytes()
    assert found.manifests[1].kept == 0


def test_the_workshop_s_split_merges_into_its_output(corpus: Path, tmp_path: Path) -> None:
    parts = [str(corpus / f"workshop-{part}-lab1.manifest") for part in ("train", "validation")]
    whole = corpus / "workshop-output.manifest"
    merge(*parts, output=str(tmp_path / "out"))
    assert len(lines_of(tmp_path / "out")) == len(lines_of(whole)) == 69
    pictures = [
        Counter(value["source-ref"].rpartition("/")[2] for value in values(path))
        for path in (whole, tmp_path / "out")
    ]
    assert pictures[0] == pictures[1]


def test_labels_of_several_kinds_are_written_over_lines_in_any_order(tmp_path: Path) -> None:
    a = write(tmp_path / "a", *(row(n, kind(0)) for n in (1, 2, 3)))
    masked = attribute("drawn", {"at": 1}, "groundtruth/custom")
    b = write(tmp_path / "b", row(2, boxes("boxes", (0, 1))), row(1, masked))
    merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [
        row(1, kind(0), masked) + b"\n",
        row(2, kind(0), boxes("boxes", (0, 1))) + b"\n",
        row(3, kind(0)) + b"\n",
    ]


def test_a_line_gets_the_adjusted_label_of_another_line(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, kind(0)), row(2, kind(1)))
    b = write(
        tmp_path / "b",
        row(1, boxes("boxes", (0, 1)), boxes("better", (0, 2), **ADJUSTED)),
        row(2, boxes("boxes", (0, 3)), boxes("better", (0, 3), **UNADJUSTED)),
    )
    merge(a, b, output=str(tmp_path / "out"), label_attribute="boxes")
    assert values(tmp_path / "out") == [
        json.loads(row(1, kind(0), boxes("boxes", (0, 2), **ADJUSTED))),
        json.loads(row(2, kind(1), boxes("boxes", (0, 3)))),
    ]


def test_two_names_for_one_kind_of_label_have_a_note(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", row(1, kind(0, "x"))), write(tmp_path / "b", row(1, kind(1, "y")))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [row(1, kind(0, "x"), kind(1, "y")) + b"\n"]
    assert found.notes == (
        "'x' and 'y' stay two label attributes; if they mean the same, --label-attribute x makes them one",
    )


@pytest.mark.parametrize(("names", "said"), [(("lab#-x", "y"), "y"), (("lab#-x", "lab#-y"), "NAME")])
def test_a_name_that_still_has_a_placeholder_is_not_advised(
    tmp_path: Path, names: tuple[str, str], said: str
) -> None:
    a, b = (write(tmp_path / name, row(1, kind(0, name))) for name in names)
    (note,) = merge(a, b, output=str(tmp_path / "out")).notes
    assert note.endswith(f"--label-attribute {said} makes them one")
