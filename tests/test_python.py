"""Every word of the command line is a function of manifest_tools, which takes what the word takes."""

import builtins
import inspect
import keyword
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import manifest_tools
from manifest_tools.cli.app import COMMANDS, command
from manifest_tools.cli.shared.sagemaker_options import IN_SAGEMAKER
from tests.conftest import REPOSITORY
from tests.ground_truth import line, write

# demo types other words.
FUNCTIONS = [word for word in COMMANDS if word != "demo"]
# What a screen needs, and a caller does not: the function returns what there is to print.
OF_THE_SCREEN = {"json", "quiet", "verbose", "log_file"}
# What a caller can hand in, and nobody can type.
OF_A_CALLER = {"progress", "transfer", "fetch", "read", "listen", "listeners"}
# Options that are no keyword, with the reason.
NO_KEYWORD: dict[str, dict[str, str]] = {
    "validate": {
        "list": "explain knows each code",
        "fix": "a function of its own",
        "dry_run": "goes with fix",
        "kms_key": "goes with fix",
        "format": "how a report is printed",
        "max_problems": "how a report is printed",
        "strict": "decides about the exit code alone",
    },
    "explain": {"full": "how a rule is printed"},
    "stats": {
        "all": "what is printed of many classes",
        "plot": "the caller draws what is returned",
        "force": "goes with plot",
    },
    "split": {"plot": "the caller draws what is returned"},
    "look": {
        "output": "look_page and look_sheets make what the caller writes",
        "force": "goes with output",
        "kms_key": "goes with output",
        "serve": "a server that asks a person",
        "port": "goes with serve",
        "marks": "goes with serve",
    },
    "diff": {
        "markdown": "how a report is printed",
        "textconv": "for git",
        "html": "how a report is printed",
        "images": "goes with html",
        "force": "goes with html",
    },
    "convert": {
        "source_prefix": "of convert_from",
        "dry_run": "what plan_all returns",
    },
    "rec verify": {
        "max_problems": "how a report is printed",
        "strict": "decides about the exit code alone",
    },
    "train": {"dry_run": "says on the screen what would be made"},
    "tune": {
        "dry_run": "says on the screen what would be tried",
        "best": "the result has the best configuration",
        "kms_key": "of jobs in SageMaker",
    },
    "evaluate": {
        "picture": "the caller draws what is returned",
        "force": "goes with picture",
        "kms_key": "goes with picture",
    },
    "predict": {
        "sheet": "the caller draws what is returned",
        "wrong_only": "goes with sheet",
        "sort": "goes with sheet",
        "output": "the caller writes what is returned",
        "attribute": "goes with output",
        "force": "goes with output and sheet",
    },
    "deploy": {"price_per_hour": "only printed", "emit": "prints a script"},
    "transform": {"price_per_hour": "only printed", "emit": "prints a script"},
    "jobs": {
        "follow": "the function is the list alone",
        "leftovers": "what it lists are no jobs",
        "every": "goes with follow",
        "dry_run": "goes with jobs stop",
    },
    "policy": {"of": "which of the documents is printed", "trust": "which of the documents is printed"},
}
# Keywords that are no option, with the reason.
NO_OPTION: dict[str, dict[str, str]] = {
    "validate": {"together": "files that were not typed are not compared"},
    "rewrite": {"edits": "edits of one's own"},
    "look": {"problems": "the command asks validate"},
}


def function_of(word: str) -> Callable[..., Any]:
    """Return the function of a word: that of `rec list` is rec_list."""
    found: Callable[..., Any] = getattr(manifest_tools, word.replace(" ", "_"))
    return found


def functions() -> dict[str, Callable[..., Any]]:
    """Return every public function."""
    found = {name: getattr(manifest_tools, name) for name in manifest_tools.__all__}
    return {name: value for name, value in found.items() if inspect.isfunction(value)}


def python_name(option: str) -> str:
    """Return what an option is called in Python."""
    name = option.lstrip("-").replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name


def options(word: str) -> dict[str, str]:
    """Return the options of a word, by the longest of their names; arguments are none.

    Nor are those of train and tune for a job in SageMaker: the functions learn here.
    """
    found = [one for one in command(word).params if one.param_type_name == "option"]
    typed = [max(one.opts, key=len) for one in found if one.rich_help_panel != IN_SAGEMAKER]
    return {name.lstrip("-").replace("-", "_"): python_name(name) for name in typed}


@pytest.mark.parametrize("word", FUNCTIONS)
def test_every_word_is_a_function(word: str) -> None:
    assert inspect.isfunction(function_of(word))
    assert function_of(word).__name__ == word.replace(" ", "_")


@pytest.mark.parametrize("word", FUNCTIONS)
def test_a_function_takes_the_options_of_its_word_under_their_names(word: str) -> None:
    taken = set(inspect.signature(function_of(word)).parameters)
    absent = {name for name, own in options(word).items() if own not in taken}
    assert absent - OF_THE_SCREEN == set(NO_KEYWORD.get(word, {}))


@pytest.mark.parametrize("word", FUNCTIONS)
def test_a_keyword_that_is_no_option_has_a_reason(word: str) -> None:
    parameters = inspect.signature(function_of(word)).parameters.values()
    keywords = {one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    arguments = {one.name for one in command(word).params if one.param_type_name == "argument"}
    others = keywords - set(options(word).values()) - arguments - OF_A_CALLER
    assert others == set(NO_OPTION.get(word, {}))


def test_help_lists_every_function_with_a_sentence() -> None:
    rows = dict(re.findall(r"^    (\w+)  +(\S.*\.)$", manifest_tools.__doc__ or "", re.MULTILINE))
    assert set(rows) == set(functions())
    assert all(len(sentence) < 100 for sentence in rows.values())


@pytest.mark.parametrize("name", sorted(functions()))
def test_a_function_says_what_it_does(name: str) -> None:
    first = (functions()[name].__doc__ or "").split("\n")[0]
    assert first.endswith((".", ":"))


def test_only_the_front_names_what_is_above() -> None:
    named = [
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "manifest_tools").rglob("*.py")
        if "trainers." in path.read_text("utf-8") and "cli" not in path.parts
    ]
    assert named == ["manifest_tools/__init__.py"]


def test_paths_may_be_paths_and_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = Path(write(tmp_path / "a.manifest", *(line(n, n % 2) for n in range(10))))
    parts = manifest_tools.split(path, tmp_path / "parts", ratio=0.5, jobs=1)
    kept = manifest_tools.filter(path, tmp_path / "rh", class_="RH", jobs=1)
    renamed = manifest_tools.rewrite(path, rename_class={"RH": "right"}, output=tmp_path / "right", jobs=1)
    merged = manifest_tools.merge(*(tmp_path / "parts").glob("*.manifest"), output=tmp_path / "all", jobs=1)
    found = manifest_tools.validate(path, select="MT3", ignore=["MT31"], jobs=1)
    assert (parts.lines, kept.kept, renamed[0].changed) == ({"train": 5, "validation": 5}, 5, 5)
    assert merged.kept == 10
    assert {problem.code[:3] for problem in found} <= {"MT3"}
    assert manifest_tools.diff(path, tmp_path / "all", jobs=1).same == 10
    assert manifest_tools.stats(path, jobs=1).lines == 10
    assert manifest_tools.look(path, images=tmp_path, jobs=1).gallery.total == 10
    assert len(manifest_tools.read_examples(path, jobs=1).examples) == 10
    assert len(list(manifest_tools.check_objects(path, images=tmp_path, jobs=1))) == 10
    assert not manifest_tools.fix(path, select="MT104", jobs=1)[0].counts
    assert capfd.readouterr() == ("", "")
