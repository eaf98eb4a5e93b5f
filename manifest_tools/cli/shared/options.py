"""The parameters that several commands share: an option means the same everywhere."""

import os
from pathlib import Path
from typing import Annotated

import typer

from manifest_tools.base.errors import Refused


def check_picture(option: str, path: str) -> None:
    """Raise before the work what would be raised after it, for a picture that could not be written."""
    if not path.lower().endswith(".png"):
        raise Refused(f"expected {option} to be a name that ends in .png, found {path}")
    folder = os.path.dirname(path)
    if folder and not path.startswith("s3://") and not os.path.isdir(folder):
        raise Refused(f"{path}: the folder {folder} does not exist; make it first")


def check_free(path: str, force: bool, option: str) -> None:
    """Raise Refused for a file that would be replaced at the end: before the work, and not after it."""
    from manifest_tools.io import s3

    if not force and (s3.exists(path) if path.startswith("s3://") else os.path.exists(path)):
        raise Refused(f"{path}: there already; type --force to replace it, or {option} for another file")


def _images(given: list[str] | None) -> list[str]:
    """Return what was typed, or else what the environment says; a folder may have a blank in its name."""
    return given or os.environ.get("MTOOL_IMAGES", "").splitlines()


Manifest = Annotated[
    str,
    typer.Argument(metavar="MANIFEST", help="A path, an s3:// URI, or - for standard input; .gz will do."),
]
Manifests = Annotated[
    list[str] | None,
    typer.Argument(metavar="MANIFEST", help="Paths, s3:// URIs, or -; without, every *.manifest here."),
]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output."),
]
LabelAttribute = Annotated[
    str | None,
    typer.Option(
        "--label-attribute", metavar="NAME", help="The label to work on; needed only where there are several."
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Same seed, same result.")]
Force = Annotated[bool, typer.Option("--force", help="Replace outputs that are there already.")]
KmsKey = Annotated[
    str | None,
    typer.Option(
        "--kms-key",
        metavar="KEY",
        help="Encrypt outputs in S3 with it: ID, ARN or alias/NAME. [as the old object, or the bucket]",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]
Jobs = Annotated[
    int | None,
    typer.Option("-j", "--jobs", metavar="N", min=1, help="Worker processes; the result is the same."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON, for machines.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No remarks, only errors.")]
Rejects = Annotated[
    str | None, typer.Option("--rejects", metavar="FILE", help="Keep the lines that are left out here.")
]
Classes = Annotated[
    str | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="The class table, for classes that no line shows: JSON, or a name a line.",
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--images",
        metavar="FROM=TO",
        callback=_images,
        help="Where the pictures of s3://bucket/prefix lie; a folder alone will do for one prefix. "
        "May be repeated; MTOOL_IMAGES has one a line.",
    ),
]


ModelPath = Annotated[
    str,
    typer.Option(
        "--model", metavar="MODEL", help="The folder that train made, or a model.tar.gz; s3:// too."
    ),
]


def manifests_here(word: str) -> list[str]:
    """Return every manifest of this folder; raises Refused where there is none."""
    from manifest_tools.io.sources import find_manifests

    found = find_manifests(Path())
    if not found:
        raise Refused(f"no *.manifest in this folder; type: mtool {word} FILE")
    return found
