import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import typer

import manifest_tools
from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.cli.app import WORDS, command, exit_code_of

if TYPE_CHECKING:
    from typer.testing import Result

MTOOL = (sys.executable, "-m", "manifest_tools")
ROW = {
    "source-ref": "s3://b/k.jpg",
    "k": 0,
    "k-metadata": {"type": "groundtruth/image-classification", "class-name": "RH", "confidence": 0.9},
}
LINE = json.dumps(ROW).encode() + b"\n"

posix = pytest.mark.skipif(os.name != "posix", reason="needs pipes with names and signals")


def shell(line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash in which ``mtool`` is ours."""
    typed = f'mtool() {{ "{sys.executable}" -m manifest_tools "$@"; }}\n{line}'
    return subprocess.run(["bash", "-c", typed], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("words", [(), ("-h",), ("--help",)], ids=" ".join)
def test_help_lists_every_word_and_is_no_failure(
    run: "Callable[..., Result]", words: tuple[str, ...]
) -> None:
    result = run(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    listed = [
        line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ") and line.split()
    ]
    assert [word for word in listed if word in WORDS] == list(WORDS)
    assert "..." not in result.stdout.partition("Begin:")[2]  # every word is told of in one line


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_help_with_an_example(run: "Callable[..., Result]", word: str) -> None:
    result = run(word, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: mtool {word} ")
    assert result.stdout.count(f"mtool {word} ") > 1


def test_the_version(run: "Callable[..., Result]") -> None:
    assert run("--version").stdout == f"mtool {manifest_tools.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("nonsense",), "No such command 'nonsense'; type: mtool --help", id="an unknown word"),
        pytest.param(("x\x1b[2J",), "No such command 'x\\x1b[2J'", id="an unknown word that is hostile"),
        pytest.param(
            ("--nonsense",), "No such option: --nonsense; type: mtool --help", id="an unknown option"
        ),
        pytest.param(("split", "--nonsense"), "type: mtool split --help", id="an unknown option of a word"),
        pytest.param(
            ("split", "--class-column", "kind", "a.csv"),
            "type: mtool --class-column NAME split ..., before the word",
            id="an option of every word after the word",
        ),
        pytest.param(("split", "a", "b"), "type: mtool split --help", id="an argument too many"),
        pytest.param(("split", "--seed", "x"), "--seed", id="a seed that is no number"),
        pytest.param(
            ("split", "--seed"),
            "Option '--seed' requires an argument; type: mtool split --help",
            id="an option without its value",
        ),
        pytest.param(("filter", "-", "-j", "0"), "--jobs", id="no workers at all"),
        pytest.param(
            ("filter", "-", "--min-confidence", "nan"), "--min-confidence", id="a confidence that is none"
        ),
        pytest.param(
            ("split", "nowhere"), "nowhere: expected a manifest, found no such file", id="a missing file"
        ),
    ],
)
def test_a_wrong_call_is_exit_code_2_in_one_line(
    in_folder: Path, run: "Callable[..., Result]", words: tuple[str, ...], message: str
) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("mtool: ")
    assert result.stderr.count("\n") == 1
    assert result.stderr.rstrip("\n").isprintable()
    assert message in result.stderr


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def command_line() -> NoReturn:
        raise error

    return command_line


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (BadData("a:3: bad"), 1, "mtool: a:3: bad\n"),
        (Refused("no; type --force"), 2, "mtool: no; type --force\n"),
        (MtoolError("it broke"), 3, "mtool: it broke\n"),
        (MtoolError("two\nlines \x1b[2J"), 3, "mtool: two\\nlines \\x1b[2J\n"),
        (PermissionError(13, "Permission denied", "a/b"), 3, "mtool: a/b: permission denied\n"),
        (OSError(28, "No space left on device"), 3, "mtool: no space left on device\n"),
        (KeyboardInterrupt(), 130, "mtool: interrupted\n"),
        (typer.Abort(), 130, "mtool: interrupted\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_a_failure_is_one_line_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    assert exit_code_of(raising(error)) == code
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize(
    "error", [LookupError("oops"), RecursionError("deep"), MemoryError(), AssertionError()]
)
def test_what_nobody_foresaw_is_exit_code_70_with_all_there_is_to_report(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    assert exit_code_of(raising(error)) == 70
    message = capsys.readouterr().err
    assert message.startswith("Traceback (most recent call last):\n")
    assert type(error).__name__ in message
    assert message.endswith("mtool: this is a mistake in mtool; please report it with the lines above\n")


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), ("text", 0)])
def test_what_a_command_returns_is_its_exit_code(returned: Any, code: int) -> None:
    assert exit_code_of(lambda: returned) == code


def test_a_word_is_imported_when_it_is_called_for() -> None:
    assert command("split").name == "split"
    with pytest.raises(ModuleNotFoundError):
        command("nonsense")


def test_as_a_process_of_its_own() -> None:
    result = subprocess.run([*MTOOL, "nonsense"], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)


@posix
@pytest.mark.parametrize(
    "line",
    [
        pytest.param("mtool --help | true; echo ${PIPESTATUS[0]} >&2", id="help"),
        pytest.param(
            "mtool filter a.manifest -q -j 1 | head -n 1 >&2; echo ${PIPESTATUS[0]} >&2", id="one worker"
        ),
        pytest.param(
            "mtool filter a.manifest -q -j 2 | head -n 1 >&2; echo ${PIPESTATUS[0]} >&2", id="two workers"
        ),
        pytest.param(
            "mtool filter - -q < a.manifest | head -n 1 >&2; echo ${PIPESTATUS[0]} >&2", id="standard input"
        ),
    ],
)
def test_a_closed_pipe_ends_quietly(in_folder: Path, line: str) -> None:
    Path("a.manifest").write_bytes(LINE * 80_000)
    message = shell(line).stderr.replace(LINE.decode(), "")
    assert message == "0\n"


@posix
def test_ctrl_c_is_exit_code_130_and_leaves_nothing_behind(in_folder: Path) -> None:
    os.mkfifo("pipe")
    started = subprocess.Popen([*MTOOL, "filter", "pipe", "-o", "out"], stderr=subprocess.PIPE, text=True)
    # Opening it waits until mtool reads from it, so it is at work by then.
    with open("pipe", "wb") as pipe:
        pipe.write(LINE)
        pipe.flush()
        started.send_signal(signal.SIGINT)
        _, message = started.communicate(timeout=30)
    assert (started.returncode, message) == (130, "mtool: interrupted\n")
    assert os.listdir() == ["pipe"]


@posix
def test_what_kill_9_leaves_behind_goes_with_the_next_run(in_folder: Path) -> None:
    killed = """
import os, signal
from manifest_tools.io.sinks import publishing
with publishing() as publication:
    publication.open("out").write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", killed])
    assert len(os.listdir()) == 1
    Path("a.manifest").write_bytes(LINE)
    shell("mtool filter a.manifest -o out -q")
    assert sorted(os.listdir()) == ["a.manifest", "out"]


@posix
def test_sigterm_at_any_moment_prints_no_traceback(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(LINE * 100)
    for moment in range(16):
        started = subprocess.Popen(
            [*MTOOL, "filter", "a.manifest", "-o", "out", "-j", "2", "--force"],
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(moment * 0.04)
        started.terminate()
        _, message = started.communicate(timeout=30)
        assert started.returncode in (0, 130, -signal.SIGTERM)
        assert not {"Traceback", "Exception ignored"} & set(
            re.findall("Traceback|Exception ignored", message)
        )


def test_an_interrupt_while_an_object_is_destroyed_is_not_lost() -> None:
    program = """
import sys, time
from manifest_tools.cli.app import _deliver_interrupt
class Interrupted:
    def __del__(self):
        raise KeyboardInterrupt
sys.unraisablehook = _deliver_interrupt
try:
    Interrupted()
    time.sleep(20)
except KeyboardInterrupt:
    print("delivered")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=15)
    assert (result.stdout, result.stderr) == ("delivered\n", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("line", ["mtool --help", "mtool --version", "mtool filter a.manifest -q"])
def test_a_full_disk_is_exit_code_3_in_one_line(in_folder: Path, line: str) -> None:
    Path("a.manifest").write_bytes(LINE)
    result = shell(f"{line} > /dev/full")
    assert (result.returncode, result.stderr) == (3, "mtool: no space left on device\n")


@posix
def test_standard_output_may_be_closed(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(LINE)
    result = shell("mtool filter a.manifest -o b.manifest -q >&-")
    assert (result.returncode, result.stderr) == (0, "")
    assert Path("b.manifest").read_bytes() == LINE


@posix
def test_standard_input_may_be_closed(in_folder: Path) -> None:
    result = shell("mtool stats - <&-")
    assert (result.returncode, result.stdout) == (1, "")
    assert "standard input: expected a manifest" in result.stderr


@posix
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_notes_that_nobody_reads_change_no_exit_code(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(LINE)
    assert shell("mtool filter a.manifest -o b.manifest 2> /dev/full").returncode == 0
    assert Path("b.manifest").read_bytes() == LINE
    assert shell("mtool stats nothing-there 2> /dev/full").returncode == 2


@posix
def test_a_character_that_the_locale_lacks_is_printed_as_an_escape(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(LINE.replace(b"RH", "\N{CJK UNIFIED IDEOGRAPH-53F3}".encode()))
    result = shell("PYTHONIOENCODING=ascii mtool stats a.manifest")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\\u53f3" in result.stdout


# One line each; what a file may hold that no verb has reckoned with.
HOSTILE = [
    pytest.param(b"\xef\xbb\xbf" + LINE, id="a byte-order mark"),
    pytest.param(LINE + b"\0" * 100, id="NULs"),
    pytest.param(LINE + b'{"source-ref": "\xff"}\n', id="no UTF-8"),
    pytest.param(LINE + b'{"source-ref": "\\ud800"}\n', id="half a surrogate pair"),
    pytest.param(LINE + b'{"k": NaN}\n', id="NaN"),
    pytest.param(LINE + b'{"k": ' + b"9" * 400 + b"}\n", id="400 digits"),
    pytest.param(LINE + b'{"k": ' + b"9" * 5000 + b"}\n", id="5,000 digits"),
    pytest.param(LINE + b'{"k": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", id="100,000 brackets"),
    pytest.param(LINE + b'{"k": true}\n', id="a label true"),
    pytest.param(LINE + b'{"k": 1.0}\n', id="a label 1.0"),
    pytest.param(LINE + b'{"k": 1, "k-metadata": []}\n', id="metadata a list"),
    pytest.param(LINE + b'{"k": 1, "k-metadata": {"class-name": 7}}\n', id="a class-name that is a number"),
    pytest.param(LINE + b'{"k": 0, "k-metadata": {"class-name": "LH"}}\n', id="one index, two names"),
    pytest.param(LINE + b'{"z": 0, "z-metadata": {}}\n', id="two attributes"),
    pytest.param(b'{"a\\"b": 0, "a\\"b-metadata": {}}\n', id="a quote in the attribute's name"),
    pytest.param(b'{"a\\nb": 0, "a\\nb-metadata": {}}\n', id="a newline in the attribute's name"),
    pytest.param(b'{"k": [], "k-metadata": {"type": 7}}\n', id="a type that is a number"),
    pytest.param(b'{"k": 0, "k-metadata": {"type": "../../x"}}\n', id="a type that is a path"),
    pytest.param(b'{"k": {}, "k-metadata": {"type": "groundtruth/image-classification"}}\n', id="an object"),
    pytest.param(b"{}\n", id="an empty object"),
    pytest.param(b"[]\n", id="an empty array"),
    pytest.param(b"null\n", id="null"),
    pytest.param(b'[{"prefix": "s3://b/"}, "x"]', id="S3Prefix"),
    pytest.param(b"", id="nothing"),
    pytest.param(b"\n\n", id="blank lines"),
    pytest.param(b"\xff\xd8\xff\xe0", id="a picture"),
    pytest.param(LINE[:-20], id="cut short"),
]
VERBS = {
    "filter": ("-q", "--class", "RH", "--min-confidence", "0.5", "-o", "out"),
    "split": ("-q", "--dry-run"),
    "rewrite": ("-q", "--rename-class", "RH=right", "--lab", "lab3", "--dry-run"),
    "validate": ("-q",),
    "stats": (),
}


@pytest.mark.parametrize("content", HOSTILE)
@pytest.mark.parametrize("verb", VERBS)
def test_no_file_is_a_mistake_of_ours(
    in_folder: Path, run: "Callable[..., Result]", verb: str, content: bytes
) -> None:
    Path("a.manifest").write_bytes(content)
    result = run(verb, "a.manifest", *VERBS[verb])
    assert result.exit_code in (0, 1, 2)
    assert "Traceback" not in result.stderr
    if result.exit_code == 2:
        assert result.stderr.count("\n") == 1


def test_a_mistyped_word_is_guessed(run: "Callable[..., Any]") -> None:
    done = run("fliter")
    assert done.exit_code == 2
    assert done.stderr == "mtool: No such command 'fliter' (did you mean filter?); type: mtool --help\n"
