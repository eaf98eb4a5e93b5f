import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.io.recordio import read_records
from tests.ground_truth import UNLABELLED, line, write
from tests.pictures import jpeg

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture
def train(in_folder: Path) -> Path:
    """A folder with train.manifest of three lines, and their pictures in ./raw."""
    (in_folder / "raw").mkdir()
    for number in range(3):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number * 9))
    write(in_folder / "train.manifest", *(line(number, number) for number in range(3)))
    return in_folder


def payloads(data: bytes) -> list[bytes]:
    return list(read_records(io.BytesIO(data)))


EXPECTED = [part for number in range(3) for part in (jpeg(number * 9), str(number).encode())]


def test_the_stream_goes_to_a_file_with_a_line_about_it(train: Path, run: Run) -> None:
    done = run("pipe", "train.manifest", "--images", "raw", "-o", "train.pipe")
    size = (train / "train.pipe").stat().st_size
    message = f"3 lines, 6 records of source-ref and kind: {size:,} bytes\ntrain.pipe: written\n"
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", message)
    assert payloads((train / "train.pipe").read_bytes()) == EXPECTED


def test_the_stream_goes_to_standard_output_and_the_talk_does_not(train: Path, run: Run) -> None:
    done = run(
        "pipe", "train.manifest", "--images", "raw", "--attribute", "kind", "--attribute", "source-ref"
    )
    assert payloads(done.stdout_bytes) == [EXPECTED[at] for at in (1, 0, 3, 2, 5, 4)]
    assert done.stderr.startswith("3 lines, 6 records of kind and source-ref: ")
    assert run("pipe", "train.manifest", "--images", "raw", "-q").stderr == ""


def test_a_shuffle_names_its_seed(train: Path, run: Run) -> None:
    done = run("pipe", "train.manifest", "--images", "raw", "--shuffle", "--seed", 4)
    assert "kind, shuffled with seed 4: " in done.stderr
    assert sorted(payloads(done.stdout_bytes)) == sorted(EXPECTED)


def test_the_counts_as_json_leave_standard_output_to_the_records(train: Path, run: Run) -> None:
    done = run("pipe", "train.manifest", "--images", "raw", "--json")
    assert json.loads(done.stderr) == {
        "attributes": ["source-ref", "kind"],
        "lines": 3,
        "records": 6,
        "bytes": len(done.stdout_bytes),
        "reader_left": False,
        "turned": 0,
    }


def test_a_dry_run_counts_and_writes_nothing(train: Path, run: Run) -> None:
    done = run("pipe", "train.manifest", "--dry-run", "-o", "out")
    message = "3 lines would be 6 records of source-ref and kind; dry run, nothing written\n"
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", message)
    assert not (train / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        pytest.param(
            ["--attribute", "knd"],
            2,
            r"^mtool: train.manifest: expected the attribute 'knd', but no line has it; found 'kind'; "
            r"type --attribute kind\n$",
            id="a near miss",
        ),
        pytest.param(
            ["--attribute", "mood"],
            2,
            r"'mood', but no line has it; found 'source-ref', 'kind', 'kind-metadata'\n$",
            id="a name that is near to none",
        ),
        pytest.param(["--attribute", "kind", "--attribute", "kind"], 2, "kind: named twice", id="one twice"),
        pytest.param(["-o", "train.manifest"], 2, "its own input", id="over its input"),
        pytest.param(["-o", "train.manifest/out"], 2, "found a file", id="into no folder"),
        pytest.param(["--images", "nowhere"], 2, "expected a folder", id="no such folder"),
        pytest.param(
            ["--images", "s3://raw=empty"],
            1,
            "train.manifest:1: .*no such file; "
            "`mtool validate train.manifest --objects --decode --images s3://raw=empty` lists every such"
            " object\n$",
            id="no picture",
        ),
    ],
)
def test_what_cannot_be_sent_is_one_line(
    train: Path, run: Run, words: list[str], code: int, message: str
) -> None:
    import re

    (train / "empty").mkdir()
    images = [] if "--images" in words else ["--images", "raw"]
    done = run("pipe", "train.manifest", *images, *words)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert re.search(message, done.stderr)


def test_an_attribute_that_some_lines_have_is_a_matter_of_the_lines(train: Path, run: Run) -> None:
    write(train / "some.manifest", UNLABELLED, line(1, 1))
    done = run("pipe", "some.manifest", "--images", "raw", "--attribute", "kind")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("mtool: some.manifest:1: expected the attribute 'kind', found ")


def test_without_images_what_is_missing_beside_the_manifest_asks_for_them(train: Path, run: Run) -> None:
    write(train / "local.manifest", b'{"source-ref": "not-here.jpg"}')
    done = run("pipe", "local.manifest", "--attribute", "source-ref")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "; type --images FOLDER; `mtool validate local.manifest --objects --decode` lists" in done.stderr


def test_long_names_are_not_printed_whole(train: Path, run: Run) -> None:
    long = b"k" * 10**6
    write(
        train / "long.manifest", b'{"source-ref": "s3://raw/0.jpg", "%s": 1, "%s": 2}' % (long, long + b"a")
    )
    message = run("pipe", "long.manifest", "--images", "raw").stderr
    message += run("pipe", "long.manifest", "--images", "raw", "--attribute", "kind").stderr
    assert (message.count("mtool: "), len(message) < 2000) == (2, True)


def test_a_terminal_is_not_for_records(train: Path) -> None:
    import pty

    main, terminal = pty.openpty()
    done = mtool(train, "pipe", "train.manifest", "--images", "raw", stdout=terminal)
    assert (done.returncode, done.stderr) == (
        2,
        b"mtool: expected a file for the records, found a terminal; type -o FILE, or | PROGRAM\n",
    )
    os.close(terminal)
    os.close(main)


def mtool(folder: Path, *words: str, stdout: int) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "manifest_tools", *words]
    return subprocess.run(command, cwd=folder, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False)


def test_a_process_reads_the_fifo_as_a_training_algorithm_does(train: Path) -> None:
    os.mkfifo("train_0")
    reader = subprocess.Popen(["cat", "train_0"], stdout=subprocess.PIPE, cwd=train)
    done = mtool(
        train, "pipe", "train.manifest", "--images", "raw", "-o", "train_0", stdout=subprocess.DEVNULL
    )
    got, _ = reader.communicate(timeout=30)
    assert (done.returncode, payloads(got)) == (0, EXPECTED)


def test_a_reader_that_has_seen_enough_is_no_failure(train: Path) -> None:
    os.mkfifo("train_0")
    write(train / "long.manifest", *(line(number % 3, number % 3) for number in range(2000)))
    reader = subprocess.Popen(["head", "-c", "10", "train_0"], stdout=subprocess.PIPE, cwd=train)
    done = mtool(
        train, "pipe", "long.manifest", "--images", "raw", "-o", "train_0", stdout=subprocess.DEVNULL
    )
    assert (done.returncode, done.stderr, reader.communicate(timeout=30)[0][:2]) == (0, b"", b"\x0a\x23")
