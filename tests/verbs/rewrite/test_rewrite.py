import gzip
import json
import os
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, MtoolError, Refused
from manifest_tools.edits.rename import FromLab, LineEdit, Placeholder, RenameAttribute, RenameClass
from manifest_tools.verbs.rewrite.rewrite import holding, rewrite
from manifest_tools.verbs.rewrite.substitute import substitute
from tests.ground_truth import FAT, chopped, line, lines_of, write
from tests.json_lines import objects

LAB = Placeholder("lab#", "lab3")
TEAM = Placeholder("lab#", "team-12")  # longer than what it replaces
TO_RIGHT = RenameClass("RH", "right")


def folder_of(path: Path) -> dict[str, bytes]:
    """Return every file of a folder with its bytes, hidden ones too."""
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}


manifests = st.lists(objects | st.just(b""), min_size=1, max_size=6).map(b"\n".join).filter(bytes.strip)
edits: st.SearchStrategy[LineEdit] = st.sampled_from(
    [LAB, Placeholder("kind", "sort"), FromLab("a", "lab3"), RenameAttribute("a", "u"), RenameClass("a", "u")]
)


@given(manifests, edits)
def test_a_rewrite_edits_each_line_by_itself_and_doing_it_twice_is_doing_it_once(
    data: bytes, edit: LineEdit
) -> None:
    with TemporaryDirectory() as name:
        paths = [f"{name}/{number}.manifest" for number in range(3)]
        Path(paths[0]).write_bytes(data)
        try:
            wanted = b"\n".join(edit(row) if row.strip() else row for row in data.split(b"\n"))
        except ValueError:  # a name is taken
            with pytest.raises(Refused, match="is there already; type another name"):
                rewrite(paths[0], edits=[edit], output=paths[1], jobs=1)
            return
        if isinstance(edit, RenameAttribute | RenameClass):
            if wanted != data:
                (first,) = rewrite(paths[0], edits=[edit], output=paths[1], jobs=1)
                assert (Path(paths[1]).read_bytes(), first.changed > 0) == (wanted, True)
            with pytest.raises(Refused, match="no line has the (class|attribute) 'a'"):
                rewrite(paths[wanted != data], edits=[edit], output=paths[2], jobs=1)
            return
        (first,) = rewrite(paths[0], edits=[edit], output=paths[1], jobs=1)
        (second,) = rewrite(paths[1], edits=[edit], output=paths[2], jobs=1)
        written = [Path(path).read_bytes() for path in paths]
    assert written == [data, wanted, wanted]
    assert first.changed == sum(a != b for a, b in zip(wanted.split(b"\n"), data.split(b"\n"), strict=True))
    assert second.changed == 0


@given(
    st.lists(st.sampled_from([b'{"lab#": "lab#"}', b"{}", b"", b'"lab#lab#lab#"']), min_size=1),
    st.integers(1, 40),
)
def test_a_placeholder_is_replaced_whatever_the_blocks(rows: list[bytes], step: int) -> None:
    data = b"\n".join([b"{}", *rows])
    with TemporaryDirectory() as name:
        path, new = Path(name) / "old", Path(name) / "new"
        path.write_bytes(data)
        new.touch()
        blocks = substitute(chopped(path, step), TEAM, str(new), shown=2, jobs=1)
        assert new.read_bytes() == data.replace(b"lab#", b"team-12")
    assert blocks is not None
    assert sum(block.changed for block in blocks) == sum(b"lab#" in row for row in rows)
    assert sum(block.lines for block in blocks) == data.count(b"\n") + (not data.endswith(b"\n"))


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("escape", [b"", b'"e": "\\u00e9", '], ids=["plain", "with an escape"])
def test_any_number_of_workers_writes_the_same_bytes(tmp_path: Path, jobs: int, escape: bytes) -> None:
    rows = [line(f"lab#-{number}", pad=FAT)[:1] + escape + line(number, pad=FAT)[1:] for number in range(5)]
    rows = [row.replace(b"s3://raw", b"s3://lab#-raw") for row in rows]
    path = write(tmp_path / "a.manifest", *rows, b'{"lab#": 1}', end=b"")
    (done,) = rewrite(path, edits=[TEAM], jobs=jobs)
    assert Path(path).read_bytes() == b"\n".join([*rows, b'{"lab#": 1}']).replace(b"lab#", b"team-12")
    assert (done.changed, done.lines) == (6, 6)
    assert [change.line for change in done.changes] == [1, 2, 3]


@pytest.mark.parametrize("far", [0, 5_000_000], ids=["on the next line", "in another block"])
@pytest.mark.parametrize("reverse", [False, True], ids=["before it", "after it"])
def test_two_classes_never_become_one(tmp_path: Path, far: int, reverse: bool) -> None:
    rows = [line(1, 0), line(2, 1, pad=far), line(3, 1).replace(b'"LH"', b'"right"')]
    path = write(tmp_path / "a.manifest", *(rows[::-1] if reverse else rows))
    before = folder_of(tmp_path)
    with pytest.raises(Refused, match="the class 'right' exists already; two would become one"):
        rewrite(path, edits=[TO_RIGHT], jobs=1)
    assert folder_of(tmp_path) == before


def test_a_taken_name_spelt_with_escapes_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", line(1, 0), line(2, 1).replace(b'"LH"', b'"r\\u0069ght"'))
    with pytest.raises(Refused, match="already"):
        rewrite(path, edits=[TO_RIGHT])


def test_classes_can_change_their_names_with_each_other_by_a_third(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", line(1, 0), line(2, 1))
    swap = [RenameClass("RH", "-"), RenameClass("LH", "RH"), RenameClass("-", "LH")]
    rewrite(path, edits=swap)
    assert [json.loads(row)["kind-metadata"]["class-name"] for row in lines_of(path)] == ["LH", "RH"]


def test_the_name_of_another_attributes_class_is_not_taken(tmp_path: Path) -> None:
    row = b'{"a":0,"a-metadata":{"class-name":"RH"},"b":0,"b-metadata":{"class-name":"right"}}'
    path = write(tmp_path / "a.manifest", row)
    (done,) = rewrite(path, edits=[RenameClass("RH", "right", "a")])
    assert done.changed == 1


@pytest.mark.parametrize(
    ("edit", "bad"),
    [
        pytest.param(TO_RIGHT, b'{"k-metadata": {"class-name": "RH"}', id="a line that would be edited"),
        pytest.param(TO_RIGHT, b'{"a": right}', id="a line that may bear the new name"),
        pytest.param(FromLab("lab1", "lab3"), b"lab1", id="a line that is no object"),
    ],
)
def test_after_a_failure_in_the_second_file_both_are_as_they_were(
    tmp_path: Path, edit: LineEdit, bad: bytes
) -> None:
    one = write(tmp_path / "a.manifest", line(1), b'{"lab1-x": 1}')
    two = write(tmp_path / "b.manifest", line(1), bad)
    before = folder_of(tmp_path)
    with pytest.raises(InvalidLine, match="b.manifest:2: "):
        rewrite(one, two, edits=[edit])
    assert folder_of(tmp_path) == before


def test_a_name_that_is_taken_in_the_second_file_leaves_both_as_they_were(tmp_path: Path) -> None:
    one = write(tmp_path / "a.manifest", line(1))
    two = write(tmp_path / "b.manifest", line(1), b'{"kind": 1, "sort": 2}')
    before = folder_of(tmp_path)
    with pytest.raises(
        Refused, match="b.manifest:2: the attribute sort is there already; type another name$"
    ):
        rewrite(one, two, edits=[RenameAttribute("kind", "sort")])
    assert folder_of(tmp_path) == before


def test_a_name_that_is_taken_is_refused_whoever_does_the_work(tmp_path: Path) -> None:
    rows = [line(number, pad=FAT) for number in range(9)]
    path = write(tmp_path / "a.manifest", *rows, b'{"kind": 1, "sort": 2}')
    with pytest.raises(Refused, match="a.manifest:10: the attribute sort is there already"):
        rewrite(path, edits=[RenameAttribute("kind", "sort")], jobs=2)


def test_a_name_is_enough_where_one_of_several_manifests_has_it(tmp_path: Path) -> None:
    one = write(tmp_path / "a.manifest", line(1, 0))
    two = write(tmp_path / "b.manifest", line(1, 1))
    assert [done.changed for done in rewrite(one, two, edits=[TO_RIGHT])] == [1, 0]
    with pytest.raises(Refused, match="2 manifests: no line has the class 'RH'; its classes: right, LH"):
        rewrite(one, two, edits=[TO_RIGHT])


def test_a_class_that_gets_the_name_it_has_is_no_mistake(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", line(1))
    (done,) = rewrite(path, edits=[RenameClass("RH", "RH")])
    assert (done.changed, lines_of(path)) == (0, [line(1) + b"\n"])


def test_a_bucket_that_s3_does_not_allow_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", b'{"source-ref": "s3://lab#/a.jpg"}')
    with pytest.raises(Refused, match="the new bucket would be 'a'"):
        rewrite(path, edits=[Placeholder("lab#", "a")])
    assert lines_of(path) == [b'{"source-ref": "s3://lab#/a.jpg"}\n']


def test_in_place_the_mode_and_the_link_survive(tmp_path: Path) -> None:
    path = write(tmp_path / "real", b'{"lab#": 1}')
    os.chmod(path, 0o640)
    link = tmp_path / "a.manifest"
    link.symlink_to("real")
    rewrite(str(link), edits=[LAB])
    assert link.is_symlink()
    assert Path(path).read_bytes() == b'{"lab3": 1}\n'
    assert os.stat(path).st_mode & 0o777 == 0o640


def test_a_file_in_which_nothing_changes_is_not_touched(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", line(1))
    before = os.stat(path)
    (done,) = rewrite(path, edits=[LAB])
    after = os.stat(path)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (done.lines, done.changed) == (1, 0)


@pytest.mark.parametrize("new", ['a"b', "a\\b", "a\tb", "ü"], ids=repr)
def test_what_comes_in_is_spelt_as_json_asks(tmp_path: Path, new: str) -> None:
    path = write(tmp_path / "a.manifest", b'{"k": "lab#"}')
    rewrite(path, edits=[Placeholder("lab#", new)])
    assert json.loads(lines_of(path)[0]) == {"k": new}


def test_a_compressed_file_in_which_nothing_changes_is_not_compressed_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n', compresslevel=1, mtime=7))
    before = path.read_bytes()
    rewrite(str(path), edits=[LAB])
    assert path.read_bytes() == before


def test_a_compressed_manifest_stays_compressed(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.gz"
    path.write_bytes(gzip.compress(b'{"lab#": 1}\n'))
    rewrite(str(path), edits=[LAB])
    assert gzip.decompress(path.read_bytes()) == b'{"lab3": 1}\n'


def test_manifests_that_hold_a_placeholder_are_found_whatever_else_lies_there(tmp_path: Path) -> None:
    write(tmp_path / "a.manifest", b'{"a": 1}', b'{"lab#": 1}')
    write(tmp_path / "escaped.manifest", b'{"lab\\u0023": 1}')
    (tmp_path / "z.manifest.gz").write_bytes(gzip.compress(b'{"lab#": 1}\n'))
    write(tmp_path / "other-escape.manifest", b'{"\\u00e9": 1}')
    write(tmp_path / "none.manifest", b'{"lab3": 1}')
    write(tmp_path / "a.txt", b'{"lab#": 1}')
    (tmp_path / "empty.manifest").touch()
    (tmp_path / "picture.manifest").write_bytes(b"\xff\xd8\xff lab#")
    (tmp_path / "folder.manifest").mkdir()
    found = holding(tmp_path, LAB)
    assert found == [str(tmp_path / name) for name in ("a.manifest", "escaped.manifest", "z.manifest.gz")]


def test_one_file_under_two_names_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", b'{"lab#": 1}')
    with pytest.raises(Refused, match="two outputs would be this file"):
        rewrite(path, path, edits=[LAB])
    assert lines_of(path) == [b'{"lab#": 1}\n']


def test_a_placeholder_does_not_make_two_attributes_of_one_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", b'{"lab#-job": 1, "lab3-job": 2}')
    with pytest.raises(Refused, match="the attribute lab3-job is there already"):
        rewrite(path, edits=[LAB])


def test_one_name_can_be_given_to_the_attributes_of_different_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", b'{"kind": 1}', b'{"sort": 2}')
    rewrite(path, edits=[RenameAttribute("kind", "sort")])
    assert lines_of(path) == [b'{"sort": 1}\n', b'{"sort": 2}\n']


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_pipe_cannot_be_rewritten_in_place(tmp_path: Path) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    writer = threading.Thread(target=Path(pipe).write_bytes, args=(line(1),))
    writer.start()
    with pytest.raises(Refused, match="pipe cannot be rewritten in place; type -o FILE"):
        rewrite(pipe, edits=[LAB])
    writer.join()


def test_lines_that_somebody_appends_meanwhile_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.manifest", line(1))
    whole = Path(path).read_bytes() * 2

    def appending(*_: object) -> None:
        Path(path).write_bytes(whole)

    monkeypatch.setattr(sys.modules["manifest_tools.verbs.rewrite.rewrite"], "_check_classes", appending)
    with pytest.raises(MtoolError, match="was changed while it was read"):
        rewrite(path, edits=[TO_RIGHT], jobs=1)
    assert folder_of(tmp_path) == {"a.manifest": whole}
