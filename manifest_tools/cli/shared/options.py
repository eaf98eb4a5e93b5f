"""The options that several commands share: one name and one meaning everywhere."""

import os
from pathlib import Path
from typing import Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import either


def free_file(path: str, usual: str, force: bool, option: str = "-o") -> str:
    """Return the file to write, which is ``usual`` in a folder that was typed with a / at its end.

    Raises Exists, before the work, for a file that would be replaced at its end without ``force``.
    """
    from manifest_tools.io.sinks import check_free, output_file

    path = output_file(path, usual)
    if not force:
        check_free(path, option)
    return path


def free_png(path: str, usual: str, force: bool, option: str) -> str:
    """Return the picture to write, as ``free_file``; raises Refused for a name that is no PNG's."""
    return drawn_file(free_file(path, usual, force, option), usual, option, (".png",))


def drawn_file(path: str, usual: str, option: str, endings: tuple[str, ...] = (".html", ".png")) -> str:
    """Return the page or picture to write, which is ``usual`` in a folder, as ``free_file``.

    Raises Refused, before the work, for a name with another ending.
    """
    from manifest_tools.io.sinks import output_file

    path = output_file(path, usual)
    if not path.lower().endswith(endings):
        raise Refused(f"expected a name that ends in {either(endings)} for {option}, found {path}")
    return path


def _images(given: list[str] | None) -> list[str]:
    """Return what was typed, or else the lines of MTOOL_IMAGES: a folder's name may contain blanks."""
    return given or os.environ.get("MTOOL_IMAGES", "").splitlines()


Manifest = Annotated[
    str,
    typer.Argument(
        metavar="MANIFEST",
        help="A path, an s3:// URI, or - for standard input; may be .gz, a CSV table, or a folder with"
        " a folder for each class.",
    ),
]
Manifests = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="MANIFEST",
        help="Paths, s3:// URIs, or -; CSV tables and folders with a folder for each class will do."
        " [each *.manifest here]",
    ),
]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output."),
]
LabelAttribute = Annotated[
    str | None,
    typer.Option(
        "--label-attribute", metavar="NAME", help="The label attribute; needed only if there are several."
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same result.")]
Force = Annotated[bool, typer.Option("--force", help="Replace outputs that exist already.")]
KmsKey = Annotated[
    str | None,
    typer.Option(
        "--kms-key",
        metavar="KEY",
        help="The KMS key for outputs in S3: ID, ARN or alias/NAME. [as the old object, or the bucket]",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--jobs",
        metavar="N",
        min=1,
        help="Number of worker processes; the result does not change. [one a processor]",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as a JSON object.")]
Rejects = Annotated[
    str | None,
    typer.Option("--rejects", metavar="FILE", help="Write the lines that are left out to this file."),
]
Classes = Annotated[
    str | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="A class table, for classes that no line has: JSON, or one name on each line.",
    ),
]
ModelClasses = Annotated[
    str | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="Names for classes that have numbers alone: JSON, or one name on each line.",
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--images",
        metavar="FROM=TO",
        callback=_images,
        help="The folder with the pictures of s3://bucket/prefix; the folder alone, of any part of their"
        " keys, if all are in one bucket. "
        "May be repeated; MTOOL_IMAGES has one on each line.",
    ),
]


Cache = Annotated[
    str | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="Keep pictures that are fetched from S3 in this folder, until their objects change.",
    ),
]

ModelPath = Annotated[
    str,
    typer.Option(
        "--model", metavar="MODEL", help="The folder that train made, or a model.tar.gz, here or in S3."
    ),
]


def manifests_here(word: str) -> list[str]:
    """Return every manifest of the current folder; raises Refused if there is none."""
    from manifest_tools.io.sources import find_manifests

    found = find_manifests(Path())
    if not found:
        raise Refused(f"expected a *.manifest in this folder, found none; type: mtool {word} FILE")
    return found
