"""One rule for every word: how outputs are named and replaced, what a program reads, how much is said."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.cli.app import COMMANDS, command
from tests.record_files import image_records, write_rec

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]

# Options of one name that differ from word to word all the same, and why.
DIFFERENT = {
    "--output": "its place is a file, a folder, a prefix in S3 or a name without ending",
    "--label-attribute": "split stratifies over several",
    "--attribute": "pipe sends several",
    "--for": "validate checks for one job; policy allows several words",
    "--algorithm": "policy allows several",
    "--model": "train fetches a model into a folder that the other words read",
}

# Words without an option that all others have, and why.
WITHOUT = {("demo", "--json"): "it shows commands as a person types them"}

# Help that is more than the shared one says.
SAID_OTHERWISE = {
    "--dry-run": {"validate", "deploy", "delete", "transform", "jobs"},
    "--force": {"fetch"},
    "--kms-key": {"policy"},
}


def parameters() -> list[tuple[str, str, Any]]:
    """Return word, long name and parameter of every option."""
    found = [
        (word, one) for word in COMMANDS for one in command(word).params if one.param_type_name == "option"
    ]
    return [(word, name, one) for word, one in found for name in one.opts if name.startswith("--")]


def test_an_option_is_spelt_alike_in_every_word() -> None:
    spellings: dict[str, set[object]] = {}
    for _, name, one in parameters():
        spellings.setdefault(name, set()).add((tuple(one.opts), one.metavar, one.multiple))
    assert {name for name, found in spellings.items() if len(found) > 1} == set(DIFFERENT)


@pytest.mark.parametrize("option", ["--quiet", "--verbose", "--log-file", "--json"])
def test_every_word_has_what_every_word_has(option: str) -> None:
    having = {word for word, name, _ in parameters() if name == option}
    assert set(COMMANDS) - having == {word for word, name in WITHOUT if name == option}


@pytest.mark.parametrize(
    "option",
    [
        "--seed",
        "--jobs",
        "--force",
        "--dry-run",
        "--images",
        "--kms-key",
        "--rejects",
        "--quiet",
        "--log-file",
    ],
)
def test_an_option_is_explained_alike_in_every_word(option: str) -> None:
    others = SAID_OTHERWISE.get(option, set())
    assert len({one.help for word, name, one in parameters() if name == option and word not in others}) == 1


def test_what_streams_json_says_so() -> None:
    streaming = {word for word, name, one in parameters() if name == "--json" and "JSON Lines" in one.help}
    assert streaming == {"validate", "explain", "stats", "predict", "jobs", "rec list"}
    rest = {one.help for word, name, one in parameters() if name == "--json" and word not in streaming}
    assert all(text.endswith("as a JSON object.") for text in rest)


@pytest.mark.parametrize("word", [word for word in COMMANDS if word != "demo"])
def test_a_wrong_call_is_an_error_for_a_program_too(run: Run, in_folder: Path, word: str) -> None:
    done = run(*word.split(), "--json", "--no-such-option")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    message = done.stderr.removeprefix("mtool: ").rstrip("\n")
    assert json.loads(done.stdout) == {"error": {"message": message, "code": 2}}


# What writes a file or folder, with {} for its name; the second text is the file in a folder that is named by
# a / at its end.
WRITING = {
    "rewrite": ("rewrite --lab lab3 output.manifest -o {}", "output.manifest"),
    "filter": ("filter output.manifest --labelled -o {}", "output.manifest"),
    "filter, rejects": ("filter output.manifest --labelled -o kept --rejects {}", "rejects.manifest"),
    "split": ("split output.manifest -o {}", "train.manifest"),
    "split, rejects": ("split output.manifest --rejects {}", "rejects.manifest"),
    "merge": ("merge output.manifest -o {}", "merged.manifest"),
    "merge, rejects": ("merge output.manifest -o kept --rejects {}", "rejects.manifest"),
    "convert": ("convert output.manifest --to recordio --images raw --allow-loss -o {}", "output.rec"),
    "convert to a folder": ("convert output.manifest --to folder --images raw --allow-loss -o {}", "RH"),
    "convert from": ("convert --from coco a.coco.json -o {}", "a.manifest"),
    "pipe": ("pipe output.manifest --images raw -o {}", "output.pipe"),
    "rec extract": ("rec extract a.rec -o {}", "a.lst"),
    "rec merge": ("rec merge a.rec b.rec -o {}", "merged.rec"),
    "rec shard": ("rec shard a.rec --shards 2 -o {}", "a-00000-of-00002.rec"),
    "rec reindex": ("rec reindex a.rec -o {}", "a.idx"),
    "rec repair": ("rec repair torn.rec -o {}", "torn-repaired.rec"),
    "look": ("look output.manifest --images raw --pictures 3 -o {}", "look.html"),
    "stats": ("stats output.manifest --plot {}", "stats.html"),
    "split, plot": ("split output.manifest --plot {}", "split.html"),
    "diff": ("diff output.manifest output.manifest --html {}", "diff.html"),
}
FOLDERS = ("split", "convert to a folder", "rec extract", "rec shard")
ENDINGS = {
    "convert": ".rec",
    "rec merge": ".rec",
    "rec repair": ".rec",
    "look": ".html",
    "stats": ".html",
    "split, plot": ".html",
    "diff": ".html",
}


@pytest.fixture
def workplace(in_folder: Path, sample: Path) -> Path:
    """Return the current folder, with the sample's first lines, their pictures, and a COCO file."""
    lines = (sample / "output.manifest").read_bytes().splitlines(keepends=True)[:12]
    Path("output.manifest").write_bytes(b"".join(lines))
    shutil.copytree(sample / "images", "raw")
    images = [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}]
    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}]
    value = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "RH"}]}
    Path("a.coco.json").write_text(json.dumps(value))
    write_rec(Path("a.rec"), image_records(3))
    write_rec(Path("b.rec"), image_records(3, first=3))
    Path("torn.rec").write_bytes(Path("a.rec").read_bytes()[:-9])
    return in_folder


def typed(name: str, place: str) -> list[str]:
    return WRITING[name][0].format(place).split()


def files() -> dict[str, bytes]:
    return {
        os.path.relpath(path): path.read_bytes()
        for path in Path().rglob("*")
        if path.is_file() and "raw" not in path.parts
    }


@pytest.mark.parametrize("name", WRITING)
def test_the_folder_of_an_output_is_made(run: Run, workplace: Path, name: str) -> None:
    place = f"new/one/out{ENDINGS.get(name, '')}"
    done = run(*typed(name, place))
    assert done.exit_code == 0, done.stderr
    assert Path(place).exists()


@pytest.mark.parametrize("name", WRITING)
def test_a_name_that_ends_in_a_slash_is_a_folder(run: Run, workplace: Path, name: str) -> None:
    done = run(*typed(name, "new/one/"))
    assert done.exit_code == 0, done.stderr
    assert Path("new/one", WRITING[name][1]).exists()


@pytest.mark.parametrize("name", WRITING)
def test_what_is_there_already_is_replaced_with_force_alone(run: Run, workplace: Path, name: str) -> None:
    file = f"out{ENDINGS.get(name, '')}"
    place = f"{file}/{WRITING[name][1]}" if name in FOLDERS else file
    if name in ("convert to a folder", "rec extract"):
        run(*typed(name, file))
        place = next(path for path in files() if path.startswith("out/"))
    Path(place).parent.mkdir(exist_ok=True)
    Path(place).write_bytes(b"mine")
    before = files()
    refused = run(*typed(name, file), "--json")
    assert refused.exit_code == 2, refused.output
    assert "type --force to replace" in refused.stderr
    assert json.loads(refused.stdout)["error"]["code"] == 2
    if name != "split, plot":  # what is drawn is known when the parts are written
        assert files() == before
    done = run(*typed(name, file), "--force")
    assert done.exit_code == 0, done.stderr
    assert Path(place).read_bytes() != b"mine"


@pytest.mark.parametrize("name", WRITING)
def test_the_report_for_a_program_is_one_object_and_nothing_else(
    run: Run, workplace: Path, name: str
) -> None:
    done = run(*typed(name, f"out{ENDINGS.get(name, '')}"), "--json", "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.parametrize(
    "words", [typed(name, f"out{ENDINGS.get(name, '')}") for name in WRITING if "diff" not in name]
)
def test_a_dry_run_for_a_program_is_one_object_and_writes_nothing(
    run: Run, workplace: Path, words: list[str]
) -> None:
    if not any("--dry-run" in one.opts for one in command(words[0]).params) or "--plot" in words:
        pytest.skip("no dry run")
    before = files()
    done = run(*words, "--json", "--dry-run")
    assert done.exit_code == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)
    assert files() == before


def test_an_error_has_its_problems_as_a_program_reads_them(run: Run, workplace: Path) -> None:
    for path in Path("raw").rglob("*.*"):
        path.write_bytes(b"no picture")
    done = run(*typed("convert", "out"), "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"]) == (1, 1)
    assert error["problems"][0]["file"] == "output.manifest"


# What looks for its output before pictures are read: the manifest names pictures that are nowhere.
@pytest.mark.parametrize("words", ["convert a --to recordio --allow-loss -o out.rec", "pipe a -o out.rec"])
def test_what_reads_pictures_looks_for_its_output_first(run: Run, workplace: Path, words: str) -> None:
    Path("out.rec").write_bytes(b"mine")
    shutil.copy("output.manifest", "a")
    done = run(*words.split(), "--images", "raw")
    assert done.exit_code == 2
    assert "out.rec: exists already" in done.stderr


@pytest.mark.parametrize("name", WRITING)
def test_quiet_is_silent_and_the_log_has_it_all(run: Run, workplace: Path, name: str) -> None:
    words = typed(name, f"out{ENDINGS.get(name, '')}")
    done = run(*words, "-q", "--log-file", "logs/mtool.log")
    assert (done.exit_code, done.stderr) == (0, "")
    before = Path("logs/mtool.log").read_text("utf-8") if Path("logs/mtool.log").exists() else ""
    loud = run(*words, "--log-file", "logs/mtool.log", "--force")
    log = Path("logs/mtool.log").read_text("utf-8")
    assert log.startswith(before)  # appended
    for line in filter(None, loud.stderr.splitlines()):
        assert f" INFO {line}\n" in log or f" WARNING {line}\n" in log
