"""Labels that differ for one picture: what each policy takes, and what the report says."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.verbs.merge.choices import POLICIES, Policy
from manifest_tools.verbs.merge.conflicts import MOST_ROWS, ConflictRow
from manifest_tools.verbs.merge.merge import merge
from tests import chained_lines
from tests.chained_lines import ADJUSTED, boxes, entities, kind
from tests.ground_truth import line, lines_of, multi, write


def named(row: bytes) -> tuple[str, str | None]:
    """Return the picture of a line and its class by name, or None."""
    value = json.loads(row)
    return value["source-ref"], value["kind-metadata"]["class-name"] if "kind" in value else None


def ended(rows: Sequence[bytes]) -> list[bytes]:
    return [row.rstrip(b"\n") for row in rows]


ROWS = st.builds(
    line,
    st.integers(0, 6),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.25, 0.5, 0.75]),
    creation_date=st.sampled_from(["2024-03-01T10:00:00", "2024-03-01T10:00:00.5", "2023-01-01", "soon"]),
)


DATES = {"2024-03-01T10:00:00": 2, "2024-03-01T10:00:00.5": 3, "2023-01-01": 1, "soon": 0}


def kept_one_by_one(rows: Sequence[bytes], policy: str) -> list[bytes]:
    """Return the line of every picture that counts, one picture after the other."""
    kept = []
    for picture in dict.fromkeys(named(row)[0] for row in rows):
        mine = [row for row in rows if named(row)[0] == picture]
        votes = Counter(named(row) for row in mine)
        scores: dict[str, Any] = {
            "first": lambda row: 0,
            "vote": lambda row, votes=votes: votes[named(row)],
            "newest": lambda row: DATES[json.loads(row)["kind-metadata"]["creation-date"]],
            "highest-confidence": lambda row: json.loads(row)["kind-metadata"]["confidence"],
        }
        if len(votes) == 1 or policy == "error":
            kept.append(mine[0])
        else:
            kept.append(mine[-1] if policy == "last" else max(mine, key=scores[policy]))
    return sorted(kept, key=rows.index)


@given(st.lists(st.lists(ROWS, min_size=1, max_size=8), min_size=1, max_size=3), st.sampled_from(POLICIES))
def test_a_policy_keeps_the_lines_that_deciding_picture_by_picture_keeps(
    files: list[list[bytes]], policy: Policy
) -> None:
    rows = [row.replace(b'{"source', b'{"n": %d, "source' % n) for n, row in enumerate(sum(files, []))]
    pictures = {named(row)[0] for row in rows}
    differ = len({named(row) for row in rows}) > len(pictures)
    with TemporaryDirectory() as folder:
        paths, at = [], 0
        for number, some in enumerate(files):
            paths.append(write(Path(folder) / str(number), *rows[at : at + len(some)]))
            at += len(some)
        out = str(Path(folder) / "out")
        if differ and policy == "error":
            with pytest.raises(BadData, match="different labels"):
                merge(*paths, output=out, on_conflict=policy, jobs=1)
            return
        try:
            found = merge(*paths, output=out, on_conflict=policy, jobs=1)
        except Refused as refused:
            expected = {
                "highest-confidence": "confidence is 0 or missing",
                "newest": "no line of them has a creation-date",
            }
            assert expected[policy] in str(refused)
            return
        assert ended(lines_of(out)) == kept_one_by_one(rows, policy)
    assert found.conflicts == sum(
        len({named(row) for row in rows if named(row)[0] == picture}) > 1 for picture in pictures
    )


def test_conflicts_are_named_by_file_and_line_and_nothing_is_written(tmp_path: Path) -> None:
    a = write(tmp_path / "a", b"", *(line(n, 0) for n in range(6)))
    b = write(tmp_path / "b", *(line(n, 1) for n in reversed(range(6))))
    with pytest.raises(BadData) as refused:
        merge(a, b, output=str(tmp_path / "out"), dry_run=True)
    with pytest.raises(BadData):
        merge(a, b, output=str(tmp_path / "out"))
    pairs = ", ".join(f"{a}:{n + 2} 'RH' and {b}:{6 - n} 'LH'" for n in range(4))
    assert str(refused.value) == (
        f"{pairs}, ...: different labels for the same picture (6 pictures in all); "
        "choose with --on-conflict first, last, newest, highest-confidence or vote"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_vote_counts_lines_and_reports_ties(tmp_path: Path) -> None:
    a = write(tmp_path / "a", line(1, 0), line(2, 0))
    b = write(tmp_path / "b", line(1, 1), line(2, 1))
    c = write(tmp_path / "c", line(1, 1, 0.1))
    found = merge(a, b, c, output=str(tmp_path / "out"), on_conflict="vote")
    assert lines_of(tmp_path / "out") == [line(2, 0) + b"\n", line(1, 1) + b"\n"]
    assert (found.conflicts, found.ties, [one.won for one in found.manifests]) == (2, 1, [1, 1, 0])


def test_highest_confidence_is_refused_where_every_confidence_is_0(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, line(1, at, 0), line(2)) for at, name in enumerate("ab"))
    with pytest.raises(
        Refused, match=r"a:1 'RH' and .*b:1 'LH': every confidence is 0 or missing, .* another --on-conflict"
    ):
        merge(a, b, output=str(tmp_path / "out"), on_conflict="highest-confidence")


@pytest.mark.parametrize(
    ("first", "second", "decides"),
    [
        ([0.09, 0.09], [0.95, 0.95], False),
        ([0.09, 0.09], [0.0, 0.0], False),
        ([0.09, 0.09], [0.95, 0.5], True),
        ([0.09], [0.95], True),
    ],
    ids=["in both, another one", "in one, 0 in the other", "only in one", "single labels"],
)
def test_highest_confidence_cannot_choose_between_manifests_that_have_one_confidence_throughout(
    first: list[float], second: list[float], decides: bool, tmp_path: Path
) -> None:
    a = write(tmp_path / "a", *(line(n, 0, one) for n, one in enumerate(first)))
    b = write(tmp_path / "b", *(line(n, 1 if not n else 0, one) for n, one in enumerate(second)))
    out = str(tmp_path / "out")
    if not decides:
        with pytest.raises(Refused, match="or the same on all labels of a manifest, .* cannot choose"):
            merge(a, b, output=out, on_conflict="highest-confidence")
        return
    merge(a, b, output=out, on_conflict="highest-confidence")
    assert lines_of(out)[-1 if len(first) == 1 else 1] == line(0, 1, 0.95) + b"\n"


def dated(picture: int, label: int, date: str | None) -> bytes:
    fields: dict[str, Any] = {} if date is None else {"creation_date": date}
    return line(picture, label, **fields)


@pytest.mark.parametrize("date", [None, "soon", ""], ids=["missing", "no date", "empty"])
def test_newest_is_refused_where_no_line_has_a_date(tmp_path: Path, date: str | None) -> None:
    a, b = (write(tmp_path / name, dated(1, at, date), line(2)) for at, name in enumerate("ab"))
    with pytest.raises(Refused, match=r"a:1 'RH' and .*b:1 'LH': no line of them has a creation-date"):
        merge(a, b, output=str(tmp_path / "out"), on_conflict="newest")
    assert not (tmp_path / "out").exists()


def test_a_line_without_a_date_counts_as_the_oldest_and_is_counted(tmp_path: Path) -> None:
    a = write(tmp_path / "a", dated(1, 0, "soon"), dated(2, 0, "1969-01-01"), dated(3, 0, "2024-01-01"))
    b = write(tmp_path / "b", dated(1, 1, "1960-01-01"), dated(2, 1, None), dated(3, 1, "2024-01-02"))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="newest")
    assert [json.loads(kept)["kind"] for kept in lines_of(tmp_path / "out")] == [0, 1, 1]
    assert (found.conflicts, found.undated) == (3, 2)


def test_a_missing_date_is_counted_only_in_a_conflict(tmp_path: Path) -> None:
    a = write(tmp_path / "a", dated(1, 0, None), dated(2, 0, None))
    b = write(tmp_path / "b", dated(1, 0, None), dated(2, 0, "2024-01-01"))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="newest")
    assert (found.conflicts, found.undated) == (0, 0)


def test_the_report_says_which_label_won_over_which(tmp_path: Path) -> None:
    a = write(tmp_path / "a", *(line(n, 0) for n in range(4)), line(4, 2), line(5, 1))
    b = write(tmp_path / "b", *(line(n, 1) for n in range(4)), line(4, 0), line(5, 1))
    c = write(tmp_path / "c", line(0, 1), line(1, 2))
    found = merge(a, b, c, output=str(tmp_path / "out"), on_conflict="first")
    assert found.conflict_table.rows == (
        ConflictRow("kind", "RH", "LH", 5),
        ConflictRow("kind", "scratch", "RH", 1),
        ConflictRow("kind", "RH", "scratch", 1),
    )
    assert sum(won.lines for won in found.conflict_table.rows) == sum(
        one.left_out.get("conflict", 0) for one in found.manifests
    )


def test_the_report_names_labels_by_the_classes_of_the_result(tmp_path: Path) -> None:
    a = write(tmp_path / "a", multi(1, RH=1, LH=1), multi(2, RH=1), multi(3))
    swapped = b'{"source-ref":"s3://raw/%d.jpg","kind":[0],"kind-metadata":{"class-map":{"0":"LH"}}}'
    b = write(tmp_path / "b", *(swapped % n for n in (1, 2, 3)))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="first")
    assert found.conflict_table.rows == (
        ConflictRow("kind", "RH, LH", "LH", 1),
        ConflictRow("kind", "RH", "LH", 1),
        ConflictRow("kind", "(no classes)", "LH", 1),
    )


def test_boxes_at_other_places_are_another_label_of_the_same_classes(tmp_path: Path) -> None:
    a = write(tmp_path / "a", *(chained_lines.row(n, boxes("b", (0, 1), (0, 5), (1, 2))) for n in (1, 2)))
    b = write(tmp_path / "b", *(chained_lines.row(n, boxes("b", (0, 1), (0, n), (1, 3))) for n in (1, 2)))
    c = write(tmp_path / "c", chained_lines.row(1, boxes("b", (0, 1), (0, 1), (1, 3))))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="first")
    assert found.conflict_table.rows == (ConflictRow("b", "2 dog, cat", "another 2 dog, cat", 2),)
    with pytest.raises(BadData, match=r"c:1 '2 dog, cat' and .*a:1 '2 dog, cat': different"):
        merge(c, a, output=str(tmp_path / "out"))


def test_the_report_names_a_label_without_indices_by_its_type(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, entities(label)) for name, label in (("a", "Person"), ("b", "Place")))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="first")
    assert found.conflict_table.rows == (ConflictRow("e", "(text-span)", "another (text-span)", 1),)


def test_of_an_original_and_its_adjustment_the_report_names_the_one_that_counts(tmp_path: Path) -> None:
    a = write(tmp_path / "a", chained_lines.row(1, boxes("b", (0, 1)), boxes("c", (1, 2), **ADJUSTED)))
    b = write(tmp_path / "b", chained_lines.row(1, boxes("b", (0, 1)), boxes("c", (0, 2), **ADJUSTED)))
    found = merge(a, b, output=str(tmp_path / "out"), label_attribute="b", on_conflict="last")
    assert found.conflict_table.rows == (ConflictRow("b", "dog", "cat", 1),)


def test_the_report_has_only_the_most_frequent_rows(tmp_path: Path) -> None:
    def sorted_into(n: int, label: int) -> bytes:
        return line(n, 0, class_name=f"c{label}").replace(b'"kind": 0', b'"kind": %d' % label)

    a = write(tmp_path / "a", *(sorted_into(n, 0) for n in range(60)))
    b = write(tmp_path / "b", *(sorted_into(n, n % 25 + 1) for n in range(60)))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="first")
    assert (len(found.conflict_table.rows), found.conflict_table.more) == (MOST_ROWS, 5)
    assert [won.lines for won in found.conflict_table.rows] == [3] * 10 + [2] * 10
    assert [won.lost for won in found.conflict_table.rows] == [f"c{n + 1}" for n in range(MOST_ROWS)]


def test_the_rows_of_two_attributes_are_in_one_table(tmp_path: Path) -> None:
    a = write(tmp_path / "a", *(chained_lines.row(n, kind(0), boxes("b", (0, 1))) for n in (1, 2)))
    b = write(
        tmp_path / "b",
        chained_lines.row(1, kind(1), boxes("b", (1, 1))),
        chained_lines.row(2, kind(0), boxes("b", (1, 1))),
    )
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict="first")
    assert found.conflict_table.rows == (
        ConflictRow("b", "dog", "cat", 2),
        ConflictRow("kind", "RH", "LH", 1),
    )
