from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import MtoolError
from manifest_tools.io.byte_ranges import read_ranges, runs, select_lines
from manifest_tools.io.sources import Block

SIZE = 300_000  # more than what is read along between two ranges

ranges = st.tuples(st.integers(0, SIZE), st.integers(0, 200)).map(
    lambda drawn: (drawn[0], min(drawn[0] + drawn[1], SIZE))
)


@given(st.lists(ranges, max_size=8), st.integers(0, 255))
def test_each_range_has_the_bytes_of_a_slice_in_the_order_asked_for(
    asked: list[tuple[int, int]], first: int
) -> None:
    data = bytes((first + at * at) % 256 for at in range(251)) * (SIZE // 251 + 1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data[:SIZE])
        starts, ends = (np.array([pair[side] for pair in asked], np.int64) for side in (0, 1))
        assert read_ranges(str(path), starts, ends) == [data[start:end] for start, end in asked]


def test_a_file_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    with pytest.raises(MtoolError, match="became shorter"):
        read_ranges(str(tmp_path / "file"), np.array([1]), np.array([5]))


def test_neighbours_are_one_run() -> None:
    starts, ends = runs(np.array([0, 2, 9]), np.array([2, 5, 12]))
    assert (starts.tolist(), ends.tolist()) == ([0, 9], [5, 12])


@given(st.lists(st.tuples(st.binary(max_size=4), st.booleans(), st.booleans()), max_size=6), st.booleans())
def test_the_wanted_lines_are_selected_and_edited_ones_have_their_new_bytes(
    drawn: list[tuple[bytes, bool, bool]], held: bool
) -> None:
    lines = [line.replace(b"\n", b"") + b"\n" for line, _, _ in drawn]
    data = b"".join(lines)
    edited = {at: b"new\n" for at, (_, _, change) in enumerate(drawn) if change}
    ends = np.cumsum([len(line) for line in lines], dtype=np.int64)
    wanted = np.array([want for _, want, _ in drawn], bool)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(b"before" + data)
        block = Block(str(path), 6, 6 + len(data), data if held else None)
        starts = ends - [len(line) for line in lines] if lines else ends
        found = select_lines(block, data, starts, ends, wanted, edited).read()
    assert found == b"".join(edited.get(at, line) for at, line in enumerate(lines) if wanted[at])
