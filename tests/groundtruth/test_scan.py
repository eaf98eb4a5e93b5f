import json
import tempfile
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine
from manifest_tools.groundtruth.rows import BadLine
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source, open_source
from tests.json_lines import split_lines


@dataclass(frozen=True, slots=True)
class Found:
    """The lines of a block, and the block itself."""

    lines: int
    text: bytes


def look(block: Block) -> Found:
    data = block.read()
    return Found(len(split_lines(data)), data)


def stumble(block: Block) -> Found:
    """Stop at the first line that says so, as a task does that cannot read it."""
    found = look(block)
    for number, line in enumerate(split_lines(found.text)):
        if b"bad" in line:
            raise BadLine(number, f"found {line.decode().strip()}")
    return found


@pytest.fixture
def manifest(tmp_path: Path) -> Source:
    lines = [json.dumps({"n": number}).encode() + b"\n" for number in range(500)]
    lines[100:100] = [b"\n", b"  \r\n"]
    path = tmp_path / "a.manifest"
    path.write_bytes(b"".join(lines).removesuffix(b"\n"))
    return open_source(str(path))


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_any_number_of_jobs_gives_the_same(manifest: Source, jobs: int, size: int) -> None:
    assert list(scan(manifest, look, jobs, size=size)) == list(scan(manifest, look, 1, size=size))


def test_the_size_of_blocks_changes_no_line(manifest: Source) -> None:
    whole = b"".join(found.text for _, found in scan(manifest, look, 1))
    for size in (1, 7, 64, 1000):
        assert b"".join(found.text for _, found in scan(manifest, look, 1, size=size)) == whole


@given(st.integers(1, 4000))
def test_a_block_begins_with_the_line_of_its_number(size: int) -> None:
    content = b"\n\n" + b"".join(b'{"n": %d}\n' % number for number in range(3, 200))
    lines = split_lines(content)
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        for first, found in scan(Source("a", file.name, len(content)), look, 1, size=size):
            assert split_lines(found.text)[0] == lines[first - 1]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [1, 2, 250, 499])
def test_a_bad_line_has_its_place_in_the_file(tmp_path: Path, jobs: int, number: int) -> None:
    lines = [b"good\n"] * 499
    lines[number - 1] = b"bad one\n"
    path = tmp_path / "a.manifest"
    path.write_bytes(b"".join(lines))
    source = Source("a.manifest", str(path), path.stat().st_size)
    with pytest.raises(InvalidLine) as raised:
        list(scan(source, stumble, jobs, size=100))
    assert (raised.value.source, raised.value.number) == ("a.manifest", number)
    assert str(raised.value) == f"a.manifest:{number}: found bad one; `mtool validate` lists every problem"


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_of_two_bad_lines_is_named(tmp_path: Path, jobs: int) -> None:
    path = tmp_path / "a.manifest"
    path.write_bytes(b"good\n" * 50 + b"bad 1\n" + b"good\n" * 50 + b"bad 2\n")
    with pytest.raises(InvalidLine, match="bad 1"):
        list(scan(Source("a", str(path), path.stat().st_size), stumble, jobs, size=20))


def test_what_came_before_a_bad_line_is_given_before_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest"
    path.write_bytes(b"good\n" * 10 + b"bad\n")
    seen = []
    with pytest.raises(InvalidLine):
        for first, _ in scan(Source("a", str(path), path.stat().st_size), stumble, 2, size=10):
            seen.append(first)
    assert seen == [1, 3, 5, 7, 9]


class Counting(Executor):
    """Runs everything at once, and counts."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, task: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        future: Future[Any] = Future()
        try:
            future.set_result(task(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def test_another_executor_does_the_work(manifest: Source) -> None:
    executor = Counting()
    found = list(scan(manifest, look, jobs=executor, size=100))
    assert executor.submitted == len(found) > 10
    assert found == list(scan(manifest, look, 1, size=100))


def test_threads_will_do(manifest: Source) -> None:
    with ThreadPoolExecutor(3) as threads:
        assert list(scan(manifest, look, jobs=threads, size=50)) == list(scan(manifest, look, 1, size=50))
