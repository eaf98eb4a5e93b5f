import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from typer.testing import Result

    Run = Callable[..., Result]

MTOOL = [sys.executable, "-m", "manifest_tools"]


@pytest.fixture
def manifest(in_folder: Path) -> str:
    (in_folder / "raw").mkdir()
    (in_folder / "raw" / "0.jpg").write_bytes(jpeg(50))
    return write_manifest(Path("a.manifest"), [row("0.jpg", 0), row("1.jpg", 1)])


@contextlib.contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*MTOOL, "look", *words, "--serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_address_is_printed_marks_are_taken_and_ctrl_c_ends_it_with_a_summary(manifest: str) -> None:
    with started(manifest, "--images", "raw") as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        opener = build_opener(HTTPCookieProcessor())
        with opener.open(address) as page:
            assert b"a.manifest" in page.read()
        own = address.partition("/?")[0]
        mark = b'{"part": 0, "line": 1, "attribute": "part", "mark": "wrong"}'
        headers = {"Origin": own, "Content-Type": "application/json"}
        with opener.open(Request(f"{own}/api/marks", mark, headers)) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert err == (
        "marks go to a.marks.jsonl; Ctrl-C ends\n"
        "a.marks.jsonl: 1 mark: 1 wrong\n"
        "type: mtool filter a.manifest --unmarked a.marks.jsonl --mark wrong -o good.manifest\n"
    )
    assert Path("a.marks.jsonl").read_bytes().count(b"\n") == 1


def test_without_the_extra_it_says_what_to_install(manifest: str) -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from manifest_tools.cli.app import main; main()"
    words = [sys.executable, "-c", code, "look", manifest, "--serve"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("mtool: look --serve needs starlette and uvicorn; type: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "8000"], "--port and --marks have no effect without --serve"),
        (["--marks", "m"], "--port and --marks have no effect without --serve"),
        (["--serve", "-o", "x.html"], "-o has no effect with --serve"),
        (["--serve", "--pictures", "7"], "--pictures has no effect with --serve"),
        (["--serve", "--json"], "--json has no effect with --serve"),
        (["--serve", "--marks", "raw"], "raw: expected a file of marks, found something else"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    run: "Run", manifest: str, words: list[str], message: str
) -> None:
    done = run("look", manifest, *words)
    assert done.exit_code == 2
    assert message in done.stderr + done.stdout
