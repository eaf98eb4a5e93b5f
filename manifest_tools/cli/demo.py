"""``mtool demo``."""

import contextlib
import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.installation import NAME
from manifest_tools.cli.shared.screen import note

LAB = "lab3"

# One after the other, in a folder with the sample's output.manifest and its pictures in raw-data.
STEPS = (
    f"rewrite --lab {LAB}",
    "validate output.manifest",
    "filter output.manifest --min-confidence 0.6 -o sure.manifest",
    "split sure.manifest",
    "convert train.manifest --to folder -o by-class --images ./raw-data --side-car",
    "train --images ./raw-data",
    "evaluate --images ./raw-data",
    "predict --manifest validation.manifest --images ./raw-data --sheet sheet.png",
)
# Problems in the data do not stop the demo: the sample has failed lines, as every real output has.
_MAY_FIND_PROBLEMS = ("validate",)


def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="An empty folder to work in. [a temporary folder]"
        ),
    ] = None,
    sample_only: Annotated[
        bool, typer.Option("--sample-only", help="Put the sample there, and run nothing.")
    ] = False,
) -> None:
    """Run the whole job on the sample.

    From a labeling job's manifest to a tested model, in about a minute, without an account or a network.
    Every command is printed as one would type it.

    \b
    For example:
      mtool demo
      mtool demo -o ./demo
      mtool demo --sample-only -o ./hands
    """
    folder = _empty_folder(output)
    sample = _sample()
    shutil.copy(sample / "output.manifest", folder / "output.manifest")
    shutil.copytree(sample / "images", folder / "raw-data")
    note(f"The sample is in {folder}: output.manifest and 125 pictures of left-hand and right-hand parts.")
    if sample_only:
        return
    with contextlib.chdir(folder):
        for step in STEPS:
            _run(step)
    kept = "" if output else " (a temporary folder; type mtool demo -o FOLDER for another)"
    note(f"\nThe model is in {folder / 'model'}; look at {folder / 'sheet.png'}{kept}")


def _empty_folder(output: Path | None) -> Path:
    if output is None:
        return Path(tempfile.mkdtemp(prefix="mtool-demo-"))
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise Refused(f"{output}: expected an empty or new folder for the demo; type another -o FOLDER")
    output.mkdir(parents=True, exist_ok=True)
    return output.resolve()


def _sample() -> Path:
    """Return the folder of the sample: in the installed package, or else in the checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "sample_manifests", package.parent / "sample_manifests"):
        if (folder / "images").is_dir():
            return folder
    raise MtoolError(
        f"the sample is not installed with this copy of mtool; type: pip install --force-reinstall {NAME}"
    )


def _run(step: str) -> None:
    from manifest_tools.cli.app import command

    word, *arguments = shlex.split(step)
    note(f"\n$ mtool {step}")
    code = command(word).main(args=arguments, prog_name=f"mtool {word}", standalone_mode=False)
    if code and word not in _MAY_FIND_PROBLEMS:
        raise MtoolError(f"mtool {step} ended with exit code {code} in the folder {os.getcwd()}")
