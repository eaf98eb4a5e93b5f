"""Imports point downwards, from room to room as ARCHITECTURE.md draws them, and never in a circle."""

import ast
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.import_graph import ALL, files, imports, ours

# A module may import from its own room and from those before it here.
ROOMS = (
    "manifest_tools/base",
    "manifest_tools/io",
    "manifest_tools/images",
    "manifest_tools/groundtruth",
    "manifest_tools/edits",
    "manifest_tools/algorithms",
    "manifest_tools/known_failures",
    "manifest_tools/pages",
    "manifest_tools/formats",
    "manifest_tools/verbs",
    "trainers",
    "manifest_tools/cli",
)
# Tables: they know of errors and text, and of nothing that is read or written.
TABLES = ("manifest_tools/algorithms", "manifest_tools/known_failures")
# The words of manifests; what they show has nothing to do with training.
DATA_WORDS = (
    "validate",
    "explain",
    "stats",
    "look",
    "rewrite",
    "filter",
    "split",
    "merge",
    "diff",
    "convert",
    "pipe",
    "rec",
)
# The front door: it names what is behind it, and imports it when asked.
FRONT = ("manifest_tools/__init__.py", "manifest_tools/__main__.py")


def packages(path: str) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def room(path: str) -> str | None:
    return next((name for name in ROOMS if path.startswith(f"{name}/")), None)


def verb(path: str) -> str | None:
    parts = Path(path).parts
    return parts[2] if parts[:2] == ("manifest_tools", "verbs") and len(parts) > 3 else None


def test_every_module_has_its_room() -> None:
    assert [path for path in ALL if room(path) is None and path not in FRONT] == []


@pytest.mark.parametrize("path", [path for path in ALL if path not in FRONT])
def test_a_module_imports_from_its_own_room_and_those_below(path: str) -> None:
    below = ROOMS[: ROOMS.index(room(path) or "") + 1]
    assert {found for found in ours(path) if room(found) not in below} == set()


def circle(path: str, on_the_way: list[str], done: set[str]) -> list[str]:
    """Return the files of a circle that is reached from here, or nothing."""
    if path in on_the_way:
        return [*on_the_way[on_the_way.index(path) :], path]
    if path not in done:
        for found in sorted(ours(path)):
            if round_trip := circle(found, [*on_the_way, path], done):
                return round_trip
        done.add(path)
    return []


def test_no_imports_go_in_a_circle() -> None:
    done: set[str] = set()
    assert [found for path in ALL if (found := circle(path, [], done))] == []


@pytest.mark.parametrize("path", [path for path in ALL if path.endswith("/__init__.py")])
def test_no_package_defines_what_one_of_its_modules_is_called(path: str) -> None:
    """Python sets a module as an attribute of its package when it is imported, over what stood there."""
    tree = ast.parse((REPOSITORY / path).read_text("utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert defined & {other.stem for other in (REPOSITORY / path).parent.iterdir()} == set()


@pytest.mark.parametrize("path", files("manifest_tools/verbs"))
def test_no_verb_imports_another(path: str) -> None:
    assert {found for found in ours(path) if verb(found) not in (None, verb(path))} == set()


# One a line, in order: several hands add to it.
SHARED_BY_FORMATS = (
    "__init__",
    "class_folders",
    "frames",
    "label_numbers",
    "hugging_face",
    "picture_files",
    "picture_json",
    "protocol",
    "safe_names",
    "stored",
    "xml_values",
)


@pytest.mark.parametrize("path", files("manifest_tools/formats"))
def test_no_format_imports_another(path: str) -> None:
    names = list(SHARED_BY_FORMATS)
    if path.endswith(("/open_manifest.py", "/class_contract.py")):
        names += ["table", "class_contract"]
    shared = [f"manifest_tools/formats/{name}.py" for name in names]
    formats = {found for found in ours(path) if room(found) == "manifest_tools/formats"}
    of_one = {found for found in formats if _format_of(found) == _format_of(path)}
    assert formats - of_one - set(shared) == set()


def _format_of(path: str) -> str:
    """Return which format a file is of: that of yolo_labels.py is yolo's."""
    return Path(path).stem.partition("_")[0]


SHORTCUT = "manifest_tools/verbs/validate/engine/shortcut"


@pytest.mark.parametrize("path", [path for path in ALL if not path.startswith(f"{SHORTCUT}/")])
def test_the_shortcut_has_one_door_and_the_engine_alone_goes_through(path: str) -> None:
    inside = {found for found in ours(path) if found.startswith(f"{SHORTCUT}/")}
    door = (
        {f"{SHORTCUT}/prove_clean.py"} if path.startswith("manifest_tools/verbs/validate/engine/") else set()
    )
    assert inside <= door


WORDS = [path for path in files("manifest_tools/cli") if path.count("/") == 2]


@pytest.mark.parametrize("path", WORDS)
def test_no_command_imports_another(path: str) -> None:
    """A command in two files, as train here and train_sagemaker, is one word; demo types other words."""
    word = Path(path).stem.partition("_")[0]
    others = {Path(found).stem for found in ours(path) & set(WORDS)} - {"__init__"}
    assert {other for other in others if other.partition("_")[0] != word} <= (
        {"app"} if word == "demo" else set()
    )


@pytest.mark.parametrize("path", files("manifest_tools/cli"))
def test_the_words_of_manifests_know_no_trainers(path: str) -> None:
    assert not ("trainers" in packages(path) and Path(path).stem in (*DATA_WORDS, "app"))


@pytest.mark.parametrize("path", files("manifest_tools/base"))
def test_the_base_needs_numpy_at_most(path: str) -> None:
    assert packages(path) - sys.stdlib_module_names <= {"manifest_tools", "numpy"}


@pytest.mark.parametrize("path", files(*TABLES))
def test_a_table_knows_the_base_alone(path: str) -> None:
    assert {room(found) for found in ours(path)} <= {"manifest_tools/base", room(path)}


@pytest.mark.parametrize("path", files("manifest_tools/base", "manifest_tools/io"))
def test_what_reads_and_writes_knows_no_ground_truth(path: str) -> None:
    text = (REPOSITORY / path).read_text("utf-8")
    assert not [word for word in ("-metadata", "class-name", "groundtruth/", "source-ref") if word in text]


@pytest.mark.parametrize("path", [path for path in ALL if room(path) != "manifest_tools/cli"])
def test_the_libraries_know_no_command_line(path: str) -> None:
    assert not {"typer", "rich", "click"} & packages(path)


def test_one_module_of_each_package_knows_boto3() -> None:
    knows = [path for path in ALL if {"boto3", "botocore"} & packages(path)]
    assert knows == ["manifest_tools/io/s3/client.py", "trainers/sagemaker/client/client.py"]


def test_one_module_knows_mxnet_s_alias() -> None:
    alias = [path for path in ALL if "numpy.bool" in (REPOSITORY / path).read_text("utf-8")]
    assert alias == ["trainers/gluon/mxnet_import.py"]
