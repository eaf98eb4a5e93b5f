import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Exists
from manifest_tools.base.hashing import mix
from manifest_tools.io.sinks import publishing
from manifest_tools.verbs.split.write_parts import NO_PART, write_parts
from tests.ground_truth import chopped

lines = st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b" ") + b"\n"), min_size=1)


def dealt(
    folder: Path, rows: list[bytes], parts: list[int], shuffle: bool = False, step: int = 1, jobs: int = 1
) -> tuple[list[bytes], str]:
    """Return the bytes of two parts, and the digest, of lines written in blocks of ``step`` bytes."""
    (folder / "in").write_bytes(b"".join(rows))
    targets = [str(folder / "a"), str(folder / "b")]
    lengths = np.array([len(row) for row in rows], np.uint32)
    ranks = mix(np.arange(len(rows), dtype=np.uint64), 1) if shuffle else None
    with publishing(force=True) as publication:
        digest = write_parts(
            chopped(folder / "in", step),
            lengths,
            np.array(parts, np.uint8),
            targets,
            publication,
            ranks,
            jobs,
        )
    return [Path(target).read_bytes() for target in targets], digest


@given(lines, st.data())
def test_every_line_goes_whole_to_its_part_and_nowhere_else_whatever_the_blocks(
    rows: list[bytes], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.sampled_from([0, 1, NO_PART]), min_size=len(rows), max_size=len(rows)))
    step = data.draw(st.integers(1, 40))
    rows[-1] = data.draw(st.sampled_from([rows[-1], rows[-1][:-1] or b"x"]))
    with TemporaryDirectory() as folder:
        written, digest = dealt(Path(folder), rows, parts, step=step)
    for part in (0, 1):
        assert written[part] == b"".join(r for r, p in zip(rows, parts, strict=True) if p == part)
    assert digest == hashlib.sha256(b"".join(rows)).hexdigest()


@given(lines, st.data())
def test_shuffled_lines_are_the_same_lines_whatever_the_blocks(
    rows: list[bytes], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.sampled_from([0, 1, NO_PART]), min_size=len(rows), max_size=len(rows)))
    whole = list(rows)
    rows[-1] = data.draw(st.sampled_from([rows[-1], rows[-1][:-1] or b"x"]))
    whole[-1] = rows[-1] if rows[-1].endswith(b"\n") else rows[-1] + b"\n"
    with TemporaryDirectory() as folder:
        written, _ = dealt(Path(folder), rows, parts, shuffle=True, step=data.draw(st.integers(1, 40)))
        again, _ = dealt(Path(folder), rows, parts, shuffle=True, step=10**6)
    assert written == again
    for part in (0, 1):
        mine = [r for r, p in zip(whole, parts, strict=True) if p == part]
        assert sorted(written[part].splitlines(True)) == sorted(b"".join(mine).splitlines(True))


def test_a_shuffle_changes_the_order(tmp_path: Path) -> None:
    rows = [b"%d\n" % number for number in range(50)]
    written, _ = dealt(tmp_path, rows, [0] * 50, shuffle=True)
    assert written[0] != b"".join(rows)


@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
def test_two_workers_write_what_one_writes(tmp_path: Path, shuffle: bool) -> None:
    rows = [b"%d" % number * (number % 7) + b"\n" for number in range(300)]
    parts = [number % 3 % 2 for number in range(300)]
    one = dealt(tmp_path, rows, parts, shuffle, step=50)
    assert dealt(tmp_path, rows, parts, shuffle, step=50, jobs=2) == one


@pytest.mark.parametrize("names", [["a.gz", "b"], ["a", "b.gz"]], ids=" and ".join)
def test_a_part_may_be_compressed(tmp_path: Path, names: Sequence[str]) -> None:
    (tmp_path / "in").write_bytes(b"1\n2\n3\n")
    targets = [str(tmp_path / name) for name in names]
    with publishing() as publication:
        write_parts(
            chopped(tmp_path / "in", 1),
            np.array([2, 2, 2], np.uint32),
            np.array([0, 1, 0], np.uint8),
            targets,
            publication,
            jobs=1,
        )
    found = {name: Path(name).read_bytes() for name in targets}
    read = [gzip.decompress(data) if name.endswith(".gz") else data for name, data in found.items()]
    assert read == [b"1\n3\n", b"2\n"]


def test_nothing_appears_when_one_of_the_parts_is_there_with_other_content(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"1\n2\n")
    (tmp_path / "b").write_bytes(b"mine\n")
    with pytest.raises(Exists), publishing() as publication:
        two = np.array([2, 2], np.uint32), np.array([0, 1], np.uint8)
        write_parts(chopped(tmp_path / "in", 1), *two, [str(tmp_path / n) for n in "ab"], publication, jobs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "in"]
    assert (tmp_path / "b").read_bytes() == b"mine\n"
