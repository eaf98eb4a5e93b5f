"""A coverage-guided fuzzer over every command: ``make fuzz``, or ``python -m tests.fuzz -max_total_time=60``.

The first byte of an input chooses the command, the rest is the file. What misbehaves is left as ``crash-*``
in the current folder (``make fuzz``: in build/); ``python -m tests.fuzz crash-...`` tries it again. Options
are libFuzzer's.
"""

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["manifest_tools", "trainers"]):
    import manifest_tools
    from tests.hostile import COMMANDS, FILES, throw

    # Every module now: what a command imports later would not be watched.
    for module in pkgutil.walk_packages(manifest_tools.__path__, "manifest_tools."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

_SAMPLES = Path(__file__).parent.parent / "sample_manifests"
_LARGEST = 1 << 14  # bytes of a file; more finds nothing else, and later
_APART = 16  # each file begins with one command in so many: test_hostile tries all with all


def seeds(folder: Path) -> None:
    """Write what to begin with: every sample and every hostile file, each for some of the commands."""
    files = [path.read_bytes() for path in sorted(_SAMPLES.glob("*/*.manifest"))]
    files += [data for data in FILES.values() if len(data) < _LARGEST]
    for number, data in enumerate(files):
        for command in range(number % _APART, len(COMMANDS), _APART):
            (folder / f"{number}-{command}").write_bytes(bytes([command]) + data[:_LARGEST])


def main() -> None:
    """Run until a command misbehaves, or the time is over."""
    commands = list(COMMANDS.values())
    with tempfile.TemporaryDirectory() as name:
        folder, corpus = Path(name) / "run", Path(name) / "corpus"
        folder.mkdir()
        corpus.mkdir()
        seeds(corpus)

        def one_input(data: bytes) -> None:
            if data:
                throw(data[1:], commands[data[0] % len(commands)], folder)

        named = [word for word in sys.argv[1:] if not word.startswith("-")]
        told = [*sys.argv, f"-max_len={_LARGEST}", "-timeout=60", "-rss_limit_mb=4096"]
        atheris.Setup(told if named else [*told, str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
