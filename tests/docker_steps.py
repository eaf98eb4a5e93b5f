"""``make docker-steps``: what the Dockerfile does, done without Docker in a folder that is removed again.

A path of the image is the same path below that folder, which is empty when a stage begins. The base image is
the Python that runs this, and USER is left out. At the end the entry point answers, and splits the sample.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from string import Template

REPOSITORY = Path(__file__).parent.parent


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile: a word in capitals, and what follows it.

    >>> instructions("# in two lines\\nRUN a \\\\\\n  b\\n\\nUSER 1000\\n")
    [('RUN', 'a   b'), ('USER', '1000')]
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", "").splitlines()
    return [(word, rest) for word, rest in (line.split(maxsplit=1) for line in whole)]


class Image:
    """An image in the making; its files lie in the folder ``root``."""

    def __init__(self, scratch: Path) -> None:
        self.root, self.stages, self.stage = scratch / "image", scratch / "stages", ""
        self.entry_point: list[str] = []
        self.begin("")

    def begin(self, stage: str) -> None:
        """Put aside the stage that is done, and begin with nothing but Python."""
        if self.root.exists():
            shutil.move(self.root, self.stages / self.stage)
        self.root.mkdir(parents=True)
        self.stage, self.workdir = stage, self.root
        python = Path(sys.executable).parent
        self.variables = {**os.environ, "PATH": f"{python}:{os.environ['PATH']}", "PIP_QUIET": "1"}

    def do(self, word: str, rest: str) -> None:
        """Do one instruction; one that is not known here ends it."""
        print(f"{word} {rest}", flush=True)
        match word:
            case "FROM":
                self.begin(rest.partition(" AS ")[2])
            case "ARG" | "ENV":
                for name, value in (part.split("=", 1) for part in shlex.split(rest)):
                    self.variables[name] = Template(self.inside(value)).substitute(self.variables)
            case "WORKDIR":
                self.workdir = Path(self.inside(rest))
                self.workdir.mkdir(parents=True, exist_ok=True)
            case "COPY":
                self.copy(*shlex.split(rest))
            case "RUN":
                self.run("sh", "-ec", self.inside(rest))
            case "ENTRYPOINT":
                self.entry_point = json.loads(rest)
            case "USER":
                pass
            case _:
                raise SystemExit(f"{word}: not known to {__file__}")

    def inside(self, text: str) -> str:
        """Return a text with the paths of the image as they are on this disk."""
        return re.sub(r"(?<![^\s=:])/(?=\w)", f"{self.root}/", text)

    def copy(self, *words: str) -> None:
        """Copy files and folders of the checkout, or with ``--from`` of a stage that is done."""
        *sources, target = words
        place = self.workdir / self.inside(target)
        if (stage := sources[0].removeprefix("--from=")) != sources[0]:
            shutil.copytree(self.stages / stage / sources[1][1:], place, symlinks=True)
            return
        for source in map(REPOSITORY.joinpath, sources):
            if source.is_dir():
                shutil.copytree(source, place)
            else:
                shutil.copy(source, place)

    def run(self, *words: str) -> None:
        """Run a command with the variables of the image; one that fails ends it."""
        done = subprocess.run(words, cwd=self.workdir, env=self.variables, check=False)
        if done.returncode:
            raise SystemExit(f"{shlex.join(words)} ended with {done.returncode}")


def main() -> None:
    """Make the image, and use it as the Dockerfile says at its top."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Image(Path(scratch))
        for word, rest in instructions((REPOSITORY / "Dockerfile").read_text("utf-8")):
            image.do(word, rest)
        shutil.copy(REPOSITORY / "sample_manifests" / "output.manifest", image.workdir)
        image.run(*image.entry_point, "--version")
        image.run(*image.entry_point, "split", "output.manifest")


if __name__ == "__main__":
    main()
