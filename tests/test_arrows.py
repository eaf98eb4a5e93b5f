"""Imports point downwards: cli, trainers, verbs, meaning, format, ground. Read from the source, no run."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

# A module may import from its own layer and from those above it in this table.
LAYERS = {
    "ground": {"errors", "files", "problem", "keys", "found", "dates"},
    "format": {"s3uri", "s3_failures", "s3", "spans", "sources", "sinks", "work", "recordio", "held"},
    "meaning": {
        "record",
        "forms",
        "tasks",
        "rows",
        "scan",
        "attributes",
        "classes",
        "examples",
        "labels",
        "images",
        "places",
    },
    # What a verb is made of, and no other verb looks into.
    "parts": {
        "assign",
        "iterative",
        "lines",
        "parts",
        "pieces",
        "conditions",
        "trim",
        "edits",
        "substitute",
        "tally",
        "rules",
        "mend",
        "reports",
        "objects",
        "algorithms",
        "known_failures",
        "preflight",
        "payloads",
        "samples",
        "sent_lines",
        "merging",
        "comparing",
    },
    "verbs": {
        "validate",
        "fix",
        "explain",
        "rewrite",
        "filter",
        "split",
        "stats",
        "merge",
        "diff",
        "convert",
        "pipe",
    },
}
ORDER = list(LAYERS)
VERBS = LAYERS["verbs"]
# What the words of manifests have beside themselves; the other words may know trainers.
DATA_WORDS = VERBS | {"app", "options", "screen", "differences", "markdown"}


def modules(package: str) -> list[Path]:
    return sorted((REPOSITORY / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, at its top or inside a function, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def ours(path: Path) -> set[str]:
    """Return the modules of manifest_tools that a file imports, by the first name below the package."""
    below = (name.split(".")[1] for name in imports(path) if name.startswith("manifest_tools."))
    return {name for name in below if any(name in layer for layer in LAYERS.values()) or name == "cli"}


def place(path: Path) -> str:
    """Return the name in the table that a file of manifest_tools goes by."""
    return path.relative_to(REPOSITORY / "manifest_tools").parts[0].removesuffix(".py")


def layer(name: str) -> int:
    return next(at for at, found in enumerate(LAYERS.values()) if name in found)


LIBRARY = [path for path in modules("manifest_tools") if place(path) not in ("cli", "__init__", "__main__")]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(REPOSITORY)) for path in paths]


def test_every_module_has_its_layer() -> None:
    assert {place(path) for path in LIBRARY} - set().union(*LAYERS.values()) == set()


@pytest.mark.parametrize("path", LIBRARY, ids=names(LIBRARY))
def test_a_module_imports_its_own_layer_and_those_below(path: Path) -> None:
    wrong = {name for name in ours(path) if name == "cli" or layer(name) > layer(place(path))}
    assert wrong == set()


@pytest.mark.parametrize("path", LIBRARY, ids=names(LIBRARY))
def test_verbs_do_not_import_one_another(path: Path) -> None:
    assert ours(path) & (VERBS - {place(path)}) == set()


GROUND = [path for path in LIBRARY if place(path) in LAYERS["ground"] - {"keys"}]


@pytest.mark.parametrize("path", GROUND, ids=names(GROUND))
def test_the_ground_stands_on_the_standard_library(path: Path) -> None:
    import sys

    foreign = {name.partition(".")[0] for name in imports(path)} - sys.stdlib_module_names
    assert foreign <= {"manifest_tools"}


@pytest.mark.parametrize("name", ["files", "sources", "sinks", "s3uri", "work"])
def test_the_format_knows_no_ground_truth(name: str) -> None:
    text = (REPOSITORY / "manifest_tools" / f"{name}.py").read_text("utf-8")
    assert not [word for word in ("-metadata", "class-name", "groundtruth/", "source-ref") if word in text]


CLI = [path for path in modules("manifest_tools") if place(path) == "cli"]


@pytest.mark.parametrize("path", CLI, ids=names(CLI))
def test_the_words_of_manifests_know_no_trainers(path: Path) -> None:
    knows = any(name.split(".")[0] == "trainers" for name in imports(path))
    assert not (knows and path.stem in DATA_WORDS)


@pytest.mark.parametrize("path", LIBRARY, ids=names(LIBRARY))
def test_the_library_knows_no_trainers_and_no_command_line(path: Path) -> None:
    assert not {"trainers", "typer", "rich", "click"} & {name.split(".")[0] for name in imports(path)}


TRAINERS = modules("trainers")


@pytest.mark.parametrize("path", TRAINERS, ids=names(TRAINERS))
def test_trainers_use_the_library_and_never_its_command_line(path: Path) -> None:
    assert "cli" not in ours(path)
    assert not {"typer", "rich", "click"} & {name.split(".")[0] for name in imports(path)}


def test_one_module_of_each_package_knows_boto3() -> None:
    files = [*modules("manifest_tools"), *TRAINERS]
    knows = [p for p in files if {"boto3", "botocore"} & {name.split(".")[0] for name in imports(p)}]
    assert names(knows) == ["manifest_tools/s3.py", "trainers/sagemaker/client.py"]


def test_one_module_knows_mxnet_s_alias() -> None:
    files = [*modules("manifest_tools"), *TRAINERS]
    alias = [path for path in files if "numpy.bool" in path.read_text("utf-8")]
    assert names(alias) == ["trainers/mxnet_import.py"]
