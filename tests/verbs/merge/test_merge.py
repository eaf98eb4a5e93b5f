import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Exists, InvalidLine, Refused
from manifest_tools.groundtruth.classes import ClassConflict
from manifest_tools.io.sources import open_source
from manifest_tools.verbs.merge.choices import POLICIES, Policy
from manifest_tools.verbs.merge.columns import read_columns
from manifest_tools.verbs.merge.merge import merge
from manifest_tools.verbs.split.split import split
from tests.ground_truth import (
    FAILED,
    FAT,
    NAMES,
    UNLABELLED,
    chopped,
    line,
    lines_of,
    manifests,
    write,
)


def once(data: bytes) -> bytes:
    """Return a manifest with the first line of every picture, and no blank ones."""
    seen: set[str] = set()
    kept = []
    for row in data.splitlines(keepends=True):
        picture = json.loads(row)["source-ref"] if row.strip() else ""
        if picture and picture not in seen:
            seen.add(picture)
            kept.append(row)
    return b"".join(kept)


def named(row: bytes) -> tuple[str, str | None]:
    """Return the picture of a line and its class by name, or None."""
    value = json.loads(row)
    return value["source-ref"], value["kind-metadata"]["class-name"] if "kind" in value else None


@given(manifests())
def test_a_manifest_merged_with_itself_is_itself(data: bytes) -> None:
    data = once(data)
    with TemporaryDirectory() as folder:
        path, out = Path(folder) / "in", Path(folder) / "out"
        path.write_bytes(data)
        found = merge(str(path), str(path), str(path), output=str(out), jobs=1)
        assert out.read_bytes() == data
    rows = len(data.splitlines())
    assert [one.kept for one in found.manifests] == [rows, 0, 0]
    assert [sum(one.left_out.values()) for one in found.manifests] == [0, rows, rows]


@given(manifests(), st.integers(0, 3))
def test_the_parts_of_a_split_merge_into_its_lines(data: bytes, seed: int) -> None:
    data = once(data)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "in"
        path.write_bytes(data)
        rest = str(Path(folder) / "rest")
        split(str(path), folder, seed=seed, rejects=rest, jobs=1)
        parts = [str(Path(folder) / f"{part}.manifest") for part in ("train", "validation")]
        parts = [name for name in (*parts, rest) if Path(name).stat().st_size]
        merge(*parts, output=str(Path(folder) / "out"), jobs=1)
        assert Counter(ended(lines_of(Path(folder) / "out"))) == Counter(ended(lines_of(path)))


def ended(rows: Sequence[bytes]) -> list[bytes]:
    return [row.rstrip(b"\n") for row in rows]


@given(st.lists(manifests(), min_size=1, max_size=3), st.sampled_from(POLICIES))
def test_every_line_is_in_the_result_or_left_out_and_counted(data: list[bytes], policy: Policy) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"{at}" for at in range(len(data))]
        for path, content in zip(paths, data, strict=True):
            path.write_bytes(content)
        try:
            found = merge(
                *map(str, paths),
                output=str(folder / "out"),
                rejects=str(folder / "rest"),
                on_conflict=policy,
                jobs=1,
            )
        except (BadData, Refused):
            assume(False)
        rows, out, rest = lines_of(*paths), lines_of(folder / "out"), lines_of(folder / "rest")
    assert Counter(ended(rest)) <= Counter(ended(rows))
    kept = Counter(ended(rows)) - Counter(ended(rest))
    assert Counter(map(named, kept.elements())) == Counter(map(named, out))
    assert len(out) == found.kept == len({named(row)[0] for row in rows})
    assert len(rest) == sum(sum(one.left_out.values()) for one in found.manifests)
    assert [one.lines for one in found.manifests] == [len(lines_of_bytes(content)) for content in data]


def lines_of_bytes(data: bytes) -> list[bytes]:
    return [row for row in data.split(b"\n") if row.strip()]


@st.composite
def renumbered(draw: st.DrawFn) -> list[bytes]:
    """Draw a manifest whose classes have indices of their own."""
    order = draw(st.permutations(range(6)))
    labels = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), min_size=1, max_size=8))
    return [
        line(picture, 0, class_name="abcdef"[label]).replace(b'"kind": 0', b'"kind": %d' % order[label])
        for label, picture in labels
    ]


@given(st.lists(renumbered(), min_size=2, max_size=3))
def test_classes_keep_their_names_and_get_one_index_each(files: list[list[bytes]]) -> None:
    with TemporaryDirectory() as folder:
        paths = [write(Path(folder) / str(at), *rows) for at, rows in enumerate(files)]
        out, rest = (str(Path(folder) / name) for name in ("out", "rest"))
        found = merge(*paths, output=out, rejects=rest, on_conflict="last", jobs=1)
        kept, lost = lines_of(out), lines_of(rest)
    assert Counter(map(named, [*kept, *lost])) == Counter(map(named, sum(files, [])))
    pairs = {(json.loads(row)["kind"], named(row)[1]) for row in kept}
    assert pairs <= set(found.class_tables["kind"].names)
    assert len({index for index, _ in pairs}) == len({name for _, name in pairs}) == len(pairs)
    first = {(json.loads(row)["kind"], named(row)[1]) for row in files[0]}
    assert first <= set(found.class_tables["kind"].names)


def test_any_number_of_workers_and_blocks_gives_the_same_bytes(tmp_path: Path) -> None:
    a = write(tmp_path / "a", *(line(n, n % 3, pad=FAT) for n in range(9)), end=b"")
    rows = [line(n, (n + n % 2) % 3, pad=FAT).replace(b'"kind"', b'"k"') for n in range(4, 13)]
    b = write(tmp_path / "b", *(row.replace(b'"kind-metadata"', b'"k-metadata"') for row in rows))
    for jobs in (1, 2, 3):
        found = merge(
            a,
            b,
            output=str(tmp_path / "out"),
            rejects=str(tmp_path / "rest"),
            label_attribute="kind",
            on_conflict="last",
            jobs=jobs,
        )
    assert [one.state for one in found.published] == ["unchanged", "unchanged"]
    assert (found.kept, len(lines_of(tmp_path / "out")), len(lines_of(tmp_path / "rest"))) == (13, 13, 5)


@given(manifests(), st.integers(1, 400))
def test_what_is_remembered_does_not_depend_on_the_blocks(data: bytes, step: int) -> None:
    from manifest_tools.groundtruth.survey import label_attribute

    with TemporaryDirectory() as folder:
        path = Path(folder) / "in"
        path.write_bytes(data)
        attribute = label_attribute(open_source(str(path)), "kind")
        one, other = (
            read_columns(source, [attribute], "newest", 1)
            for source in (open_source(str(path)), chopped(path, step))
        )
    for name in ("lengths", "source_keys", "blank"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    for name in ("precedence", "indices", "counts", "rest_hashes", "scores"):
        assert np.array_equal(getattr(one.attributes["kind"], name), getattr(other.attributes["kind"], name))
    assert one.attributes["kind"].names == other.attributes["kind"].names


def test_a_line_without_an_end_gets_one_only_where_another_follows(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, line(name), end=b"") for name in "ab")
    merge(a, b, output=str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == line("a") + b"\n" + line("b")


def test_a_labelled_line_counts_before_a_failed_one_and_that_before_one_without_label(tmp_path: Path) -> None:
    failed = FAILED.replace(b"f.jpg", b"1.jpg")
    bare = UNLABELLED.replace(b"u.jpg", b"1.jpg")
    a, b, c = (write(tmp_path / name, row) for name, row in zip("abc", (bare, failed, line(1)), strict=True))
    found = merge(a, b, c, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [line(1) + b"\n"]
    assert [one.left_out for one in found.manifests] == [{"unlabelled": 1}, {"failed": 1}, {}]
    merge(a, b, output=str(tmp_path / "two"))
    assert lines_of(tmp_path / "two") == [failed + b"\n"]


def test_lines_without_a_source_are_all_kept(tmp_path: Path) -> None:
    rows = [line(1).replace(b'"source-ref"', b'"ref"'), line(1, 1).replace(b'"source-ref"', b'"ref"')]
    path = write(tmp_path / "a", *rows)
    assert merge(path, path, output=str(tmp_path / "out")).kept == 4


def classed(picture: int, index: str, name: str | None) -> bytes:
    row = line(picture, 0, class_name=name or "")
    row = row.replace(b'"kind": 0', b'"kind": ' + index.encode())
    return row if name else row.replace(b'"class-name": "", ', b"")


@pytest.mark.parametrize(
    ("before", "after"),
    [("1", "0"), ('"1"', '"0"')],
    ids=["a number stays a number", "a string of digits stays one"],
)
def test_a_class_gets_the_index_that_the_first_manifest_has_for_it(
    tmp_path: Path, before: str, after: str
) -> None:
    a, b = write(tmp_path / "a", classed(1, "0", "RH")), write(tmp_path / "b", classed(2, before, "RH"))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out")[1] == classed(2, after, "RH") + b"\n"
    assert [one.reindexed for one in found.manifests] == [0, 1]


def test_a_new_class_keeps_its_index_where_that_is_free_and_else_gets_the_next_of_all(tmp_path: Path) -> None:
    a = write(tmp_path / "a", classed(1, "0", "RH"), classed(2, "1", "LH"))
    b = write(tmp_path / "b", classed(3, "0", "LH"), classed(4, "1", "dent"), classed(5, "4", "burr"))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert found.class_tables["kind"].names == ((0, "RH"), (1, "LH"), (4, "burr"), (5, "dent"))
    assert [json.loads(row)["kind"] for row in lines_of(tmp_path / "out")] == [0, 1, 1, 5, 4]
    assert lines_of(tmp_path / "out")[4] == classed(5, "4", "burr") + b"\n"


def test_a_class_without_a_name_keeps_its_index_and_is_refused_where_others_change(tmp_path: Path) -> None:
    a = write(tmp_path / "a", classed(1, "0", "RH"))
    b = write(tmp_path / "b", classed(2, "0", None), classed(3, "7", None))
    c = write(tmp_path / "c", classed(4, "1", "RH"), classed(5, "0", None))
    assert merge(a, b, output=str(tmp_path / "out")).class_tables["kind"].names == ((0, "RH"), (7, "class 7"))
    with pytest.raises(
        Refused, match=r"class 'RH' must change its index from 1 to 0, .* no line names class 0"
    ):
        merge(a, c, output=str(tmp_path / "out"), force=True)


def test_a_manifest_with_two_names_for_one_index_is_refused(tmp_path: Path) -> None:
    a = write(tmp_path / "a", line(1))
    b = write(tmp_path / "b", classed(2, "0", "RH"), classed(3, "0", "LH"))
    with pytest.raises(ClassConflict, match="b: class 0 has two names"):
        merge(a, b, output=str(tmp_path / "out"))


def test_names_that_differ_in_case_alone_stay_apart_and_a_note_says_so(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", classed(1, "0", "RH")), write(tmp_path / "b", classed(2, "0", "rh"))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert found.class_tables["kind"].names == ((0, "RH"), (1, "rh"))
    assert found.notes == (
        f"'kind': {b} adds the class 'rh'",
        "'kind': the classes 'RH', 'rh' differ only in upper and lower case, and stay apart; "
        "to make them one, type mtool rewrite --rename-class",
    )


def test_a_compressed_manifest_and_a_compressed_result(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(line(1) + b"\n"))
    b = write(tmp_path / "b", line(2))
    merge(str(tmp_path / "a.gz"), b, output=str(tmp_path / "out.gz"))
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()) == line(1) + b"\n" + line(2) + b"\n"


def test_an_existing_output_is_not_overwritten_and_an_input_never(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", line(1)), write(tmp_path / "b", line(2))
    for place in (a, b):
        with pytest.raises(Refused, match="would replace its own input"):
            merge(a, b, output=place)
    write(tmp_path / "out", b"mine")
    with pytest.raises(Exists):
        merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [b"mine\n"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"{", "not JSON"),
        (line(2).replace(b'"kind": 0', b'"kind": -1'), "expected a class index"),
        (line(2).replace(b'"kind": 0', b'"kind": {}'), "expected int"),
        (b'{"source-ref": 3}', "expected str"),
    ],
    ids=["is no JSON", "has a class below 0", "has an object for a class", "has a number for a picture"],
)
def test_an_error_names_the_line_that(tmp_path: Path, row: bytes, reason: str) -> None:
    a, b = write(tmp_path / "a", line(1)), write(tmp_path / "b", line(1), row)
    with pytest.raises(InvalidLine, match=reason) as refused:
        merge(a, b, output=str(tmp_path / "out"))
    assert (refused.value.source, refused.value.number) == (b, 2)


def test_labels_conflict_when_their_class_names_differ_not_their_indices(tmp_path: Path) -> None:
    assert NAMES[0] == "RH"
    a = write(tmp_path / "a", classed(1, "0", "RH"), classed(2, "1", "LH"))
    b = write(tmp_path / "b", classed(1, "1", "RH"), classed(2, "0", "LH"))
    assert merge(a, b, output=str(tmp_path / "out")).conflicts == 0
    assert (tmp_path / "out").read_bytes() == Path(a).read_bytes()


def test_a_new_index_is_not_one_of_a_class_without_a_name(tmp_path: Path) -> None:
    a = write(tmp_path / "a", classed(1, "0", "RH"))
    b, c = write(tmp_path / "b", classed(2, "3", None)), write(tmp_path / "c", classed(3, "0", "LH"))
    found = merge(a, b, c, output=str(tmp_path / "out"))
    assert found.class_tables["kind"].names == ((0, "RH"), (3, "class 3"), (4, "LH"))


def test_a_name_that_a_line_has_already_is_an_error_of_that_line(tmp_path: Path) -> None:
    rows = [line(1), line(2).replace(b'{"source-ref"', b'{"sort": 1, "source-ref"')]
    with pytest.raises(InvalidLine, match="the attribute sort is there already") as refused:
        merge(write(tmp_path / "a", *rows), output=str(tmp_path / "out"), label_attribute="sort")
    assert refused.value.number == 2
    assert not (tmp_path / "out").exists()
