"""``mtool fetch``."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, print_json, progress, table, transfer, warn

if TYPE_CHECKING:
    from manifest_tools.verbs.fetch.fetch import Fetched

_SHOWN = 5  # faults; the rest are counted


def fetch(
    manifests: options.Manifests = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Where the pictures go; made if need be.")
    ] = "images",
    masks: Annotated[
        bool,
        typer.Option("--masks", help="Fetch what labels name in S3 as well, such as segmentation masks."),
    ] = False,
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, max=32, help="Pictures at the same time.")
    ] = 16,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that differ from what is in S3 now.")
    ] = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Copy the pictures that manifests name from S3 to this disk.

    s3://bucket/key becomes FOLDER/key, and FOLDER/bucket/key where there are several buckets. What is here
    already, with the size and the MD5 that S3 tells, is not fetched again: after an interruption the same
    command goes on. Each picture appears whole. --dry-run says how many there are, and how large.

    \b
    For example:
      mtool fetch output.manifest
      mtool fetch train.manifest validation.manifest -o ./raw-data --dry-run
      mtool fetch masks.manifest --masks
    """
    from manifest_tools.verbs.fetch.fetch import fetch as fetch_pictures

    try:
        done = fetch_pictures(
            *(manifests or options.manifests_here("fetch")),
            output=output,
            masks=masks,
            concurrency=concurrency,
            force=force,
            dry_run=dry_run,
            progress=progress,
            transfer=transfer,
        )
    except KeyboardInterrupt:
        note("what is here stays; the same command goes on from there")
        raise
    if as_json:
        print_json(_to_json(done))
    else:
        note(_report(done, dry_run))
    for fault in done.faults[:_SHOWN]:
        warn(clean(str(fault)))
    if done.states:
        total = sum(done.states.values())
        if total > _SHOWN:
            warn(f"... {total - _SHOWN:,} more")
        raise typer.Exit(1)


def _report(done: "Fetched", dry_run: bool) -> str:
    verb, count, size = ("fetched", done.fetched, done.fetched_bytes)
    if dry_run:
        verb, count, size = ("to fetch", done.wanted, done.wanted_bytes)
    rows: list[tuple[str, int, str]] = [(verb, count, in_bytes(size))]
    rows += [("here already", done.here, "")] if done.here else []
    rows += [(state, number, "") for state, number in done.states.items()]
    text = [table(rows, (", ".join(done.manifests), "pictures", "")) if done.objects else _nothing(done)]
    if done.on_disk and done.objects:
        text.append(f"{counted(done.on_disk, 'line')} with a path in place of an s3:// URI: nothing to fetch")
    if done.same_letters:
        text.append(
            f"{counted(done.same_letters, 'picture')} with a name that differs from another by upper and"
            " lower case alone: a disk that ignores it, as of macOS and Windows, has room for one of them"
        )
    if dry_run:
        text.append("dry run, nothing fetched")
    elif done.fetched or done.here:
        images = " ".join(f"--images {shlex.quote(one)}" for one in done.images)
        text.append(f"to use them, type {images}: for example, mtool train {images}")
    return "\n".join(text)


def _nothing(done: "Fetched") -> str:
    names = ", ".join(done.manifests)
    if done.on_disk:
        return f"{names}: every line has a path in place of an s3:// URI; there is nothing to fetch"
    return f"{names}: no line has a source-ref; there is nothing to fetch"


def in_bytes(size: int) -> str:
    """Return a number of bytes in words.

    >>> in_bytes(999), in_bytes(12_345_678)
    ('999 bytes', '12.3 MB')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return counted(size, "byte")


def _to_json(done: "Fetched") -> dict[str, Any]:
    return {
        "manifests": list(done.manifests),
        "folder": done.folder,
        "images": list(done.images),
        "objects": done.objects,
        "on_disk": done.on_disk,
        "wanted": done.wanted,
        "wanted_bytes": done.wanted_bytes,
        "fetched": done.fetched,
        "fetched_bytes": done.fetched_bytes,
        "here": done.here,
        "faults": done.states,
        "first_faults": [
            {**one.reference._asdict(), "state": one.state, "message": one.why} for one in done.faults
        ],
    }
