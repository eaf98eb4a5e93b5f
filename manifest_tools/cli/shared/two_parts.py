"""One manifest, or one folder a class, to learn from: it is divided as `mtool split` does it by itself."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from manifest_tools.base.errors import Exists, Refused
from manifest_tools.cli.shared.local_options import LocalOptions, has_folders
from manifest_tools.cli.shared.screen import clean, note
from manifest_tools.cli.shared.split_table import split_table

if TYPE_CHECKING:
    from manifest_tools.verbs.split.report import Split

T = TypeVar("T", bound=LocalOptions)

_TRAIN, _VALIDATION = "train.manifest", "validation.manifest"


def in_two_parts(given: T, *, force: bool, dry_run: bool, jobs: int | None) -> T:
    """Return the options with the two parts of the only manifest that was named, or as they are.

    In a folder without a manifest, the only folder of `--images` is the one that is meant. The parts lie
    beside it, and stay there for `mtool evaluate`. A train.manifest that has its validation.manifest beside
    it is one of two already. Raises Refused where other parts are there.
    """
    if not given.typed & {"train_manifest", "validation_manifest"} and (folder := _only_pictures(given)):
        given = replace(given, train_manifest=folder, typed=given.typed | {"train_manifest"})
    if "train_manifest" not in given.typed or "validation_manifest" in given.typed:
        return given
    folder, name = os.path.split(given.train_manifest)
    beside = os.path.join(folder, _VALIDATION)
    if name == _TRAIN and os.path.exists(beside):
        return replace(given, validation_manifest=beside)
    done = _divided(given, force, dry_run, jobs)
    note(split_table(done, dry_run))
    train, validation = done.files.values()
    if dry_run and not (os.path.exists(train) and os.path.exists(validation)):
        raise typer.Exit
    if os.path.normpath(validation) != _VALIDATION:
        note(f"to check the model later: mtool evaluate {clean(validation)}")
    is_folder = os.path.isdir(given.train_manifest)
    images = given.images or ([given.train_manifest] if is_folder else [])
    return replace(given, train_manifest=train, validation_manifest=validation, images=images)


def _only_pictures(given: LocalOptions) -> str:
    """Return the only folder of `--images`, if it has folders, maybe one a class, and no manifest is here."""
    from manifest_tools.io.sources import find_manifests

    folders = [folder for folder in given.images or () if os.path.isdir(folder)]
    alone = len(folders) == 1 and not find_manifests(Path())
    return folders[0] if alone and has_folders(folders[0]) else ""


def _divided(given: LocalOptions, force: bool, dry_run: bool, jobs: int | None) -> "Split":
    from manifest_tools.verbs.split.split import split

    name = given.train_manifest
    if name == "-" or name.startswith("s3://"):
        raise Refused(f"{name} is to be divided, but where to? type first: mtool split {name} -o FOLDER")
    try:
        return split(
            name,
            label_attribute=given.label_attribute,
            classes=given.classes,
            force=force,
            dry_run=dry_run,
            jobs=jobs,
        )
    except Exists as error:
        both = " ".join(os.path.join(os.path.dirname(error.paths[0]), part) for part in (_TRAIN, _VALIDATION))
        raise Refused(
            f"{', '.join(error.paths)}: of another split, it seems: type --force to replace them,"
            f" or name the two to learn from: {both}"
        ) from error
