"""A folder a class, as torchvision's ImageFolder, Keras and im2rec --recursive read it."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.base.local_files import same_bytes
from manifest_tools.base.problem import Problem
from manifest_tools.formats import ConversionPlan, PictureDefaults
from manifest_tools.formats.safe_names import UniqueNames, safe_name
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.images.shrink import FORMATS
from manifest_tools.images.signatures import suffix_of
from manifest_tools.io.sinks import Publication, Published

USUAL = PictureDefaults(resize=None, accepted=FORMATS)

# Endings that the readers of such folders take for a picture; others are given one.
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def base_name(output: str) -> str:
    """Return ``output`` without slashes at its end."""
    return output.rstrip("/") or output


def check(plan: ConversionPlan) -> None:
    """Raise Refused where a line can have several classes, and where there is no file to link to."""
    if plan.examples.multi_label:
        raise Refused(
            f"{plan.manifest}: {plan.examples.attribute.name} gives a picture several classes, and a folder"
            " a class needs one; type --to recordio"
        )
    if plan.output.startswith("s3://"):
        raise Refused(f"{plan.output}: expected a folder on this disk; type: aws s3 sync, afterwards")
    if plan.link and plan.to_fetch:
        raise Refused(f"--link: {plan.to_fetch:,} pictures are not on this disk; type --images FOLDER")


def write(
    plan: ConversionPlan,
    pictures: Iterator[tuple[Example, bytes]],
    problems: list[Problem],
    publication: Publication,
) -> dict[str, Any]:
    """Write every picture under its class, and let the whole folder appear at once."""
    target = Path(os.path.realpath(plan.output))
    _check_target(target, plan, publication.force)
    try:
        new = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:100]}."))
    except OSError as error:
        raise MtoolError(f"{plan.output}: cannot be written: {error.strerror}") from error
    try:
        folders, count = _fill(new, plan, pictures)
        if count:
            publication.published.append(_publish(new, target, plan, publication.force))
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return {"pictures": count, "folders": folders, "files": {}}


def _fill(
    new: Path, plan: ConversionPlan, pictures: Iterator[tuple[Example, bytes]]
) -> tuple[dict[str, str], int]:
    """Write the pictures; return the folder's name of each class that has any, and their number.

    A class without pictures has no folder: ImageFolder stops at an empty one.
    """
    folders: dict[int, str] = {}
    names: dict[int, UniqueNames] = {}
    all_folders = folder_names(plan)
    count = 0
    for example, picture in pictures:
        index = example.classes[0]
        if index not in folders:
            folders[index] = all_folders[index]
            names[index] = UniqueNames()
            (new / folders[index]).mkdir()
        path = new / folders[index] / _file_name(plan, example, picture, names[index])
        if plan.link:
            _link(plan.image_paths.find(example.ref), path)
        else:
            path.write_bytes(picture)
        count += 1
    return {str(index): folders[index] for index in sorted(folders)}, count


def folder_names(plan: ConversionPlan) -> dict[int, str]:
    """Return a safe name for every class, no two alike on any system, in order of index."""
    names = UniqueNames()
    return {
        index: names.unique(safe_name(name, f"class {index}"), "", index)
        for index, name in plan.examples.table.names
    }


def _file_name(plan: ConversionPlan, example: Example, picture: bytes, names: UniqueNames) -> str:
    stem, ending = os.path.splitext(example.ref.rpartition("/")[2])
    if not plan.recipe.pass_through:
        ending = ".jpg"
    elif ending.lower() not in _PICTURES:
        stem, ending = stem + ending, suffix_of(picture)
    return names.unique(safe_name(stem), ending, example.number)


def _link(source: str, path: Path) -> None:
    """Give the picture a second name: a hard link is a file like any other, also when the first goes."""
    try:
        os.link(source, path)
    except OSError as error:
        raise MtoolError(
            f"--link: {source} cannot be linked ({(error.strerror or '').lower()}): both folders must be on"
            " one file system; leave --link away to copy"
        ) from error


def _check_target(target: Path, plan: ConversionPlan, force: bool) -> None:
    """Refuse at once what could only fail at the end, and never replace what we did not make."""
    if target.exists() and not target.is_dir():
        raise Refused(f"{plan.output}: expected a folder, found a file; type -o for another place")
    if target.is_dir() and any(target.iterdir()) and force and not _is_ours(plan.report):
        raise Refused(
            f"{plan.output}: not made by mtool (no {plan.report}), so --force does not replace it;"
            " remove it yourself, or type -o for another place"
        )
    if not target.exists() and not force and os.path.exists(plan.report):
        raise Exists([plan.report])


def _is_ours(report: str) -> bool:
    try:
        value = json.loads(Path(report).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and value.get("format") == "folder"


def _publish(new: Path, target: Path, plan: ConversionPlan, force: bool) -> Published:
    """Let the new folder take its place, unless the old one is just the same."""
    if not target.is_dir() or not any(target.iterdir()):
        _place(new, target)
        return Published(plan.output, "written")
    if _same_tree(new, target):
        return Published(plan.output, "unchanged")
    if not force:
        raise Exists([plan.output])
    old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:100]}."))
    target.replace(old)
    try:
        _place(new, target)
    except BaseException:
        old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return Published(plan.output, "written")


def _place(new: Path, target: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    new.chmod(0o777 & ~mask)  # mkdtemp's is for its owner alone
    if target.is_dir():
        target.rmdir()
    new.replace(target)


def _same_tree(one: Path, other: Path) -> bool:
    files, others = _files(one), _files(other)
    return files == others and all(same_bytes(one / name, other / name) for name in files)


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
