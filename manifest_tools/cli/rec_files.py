"""``mtool rec extract|merge|shard|reindex|repair``: the words that write files."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import (
    clean,
    keep_stdout_for_data,
    note,
    print_json,
    table,
    transfer,
    warn,
)

if TYPE_CHECKING:
    from manifest_tools.io.sinks import Published
    from manifest_tools.verbs.rec.repair import Repaired

_FEW = 20  # cuts that are told

File = Annotated[str, typer.Argument(metavar="FILE", help="A .rec, here or in S3.")]


def rec_extract(
    file: File,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where the pictures go. [FILE without its ending]"
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Write the pictures into a folder, and a list of their labels.

    The bytes of a picture stay as they are. Its path is that of the .lst of FILE's name, or else its number.
    By the list in the folder im2rec packs the same records again. Exits with 1 when a record has no picture.

    \b
    For example:
      mtool rec extract train.rec -o pictures
    """
    from manifest_tools.verbs.rec.extract import rec_extract as extract

    done = extract(file, output, force=force, transfer=transfer)
    if as_json:
        counts = {"pictures": done.pictures, "renamed": done.renamed, "left_out": done.left_out}
        print_json({"file": done.file, "folder": done.folder, "list": done.list, **counts})
    else:
        renamed = f", {done.renamed:,} of them renamed" if done.renamed else ""
        note(_lines(f"{counted(done.pictures, 'picture')}{renamed}; labels in {done.list}", done.outputs))
    if done.left_out:
        warn(f"{counted(done.left_out, 'record')} without a picture left out; mtool rec verify names them")
        raise typer.Exit(1)


def _lines(text: str, outputs: "Sequence[Published]") -> str:
    return "\n".join([text, *(f"{one.path}: {one.state}" for one in outputs)])


def rec_merge(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Two .rec files or more, here or in S3.")
    ],
    output: Annotated[
        str,
        typer.Option("-o", "--output", metavar="FILE", help="The new .rec; .idx and .lst stand beside it."),
    ] = "merged.rec",
    renumber: Annotated[
        bool, typer.Option("--renumber", help="Count all records anew from 0, where their numbers are equal.")
    ] = False,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    as_json: options.Json = False,
) -> None:
    """Make several files one: records one behind the other.

    Byte for byte, with an index, and with a list where every file has one of its name. Files in which two
    records have one number are refused: a reader by key would find one of them alone. --renumber counts them
    anew, in their headers, the index and the list.

    \b
    For example:
      mtool rec merge train-00000-of-00002.rec train-00001-of-00002.rec -o train.rec
      mtool rec merge lab3.rec lab4.rec -o both.rec --renumber
    """
    from manifest_tools.verbs.rec.merge import rec_merge as merge

    done = merge(*files, output=output, renumber=renumber, force=force, kms_key=kms_key, transfer=transfer)
    if as_json:
        told = {"files": list(done.files), "records": done.records, "bytes": done.size}
        lists = {"without_list": list(done.without_list), "unlisted": done.unlisted}
        print_json({**told, "renumbered": done.renumbered, **lists, "outputs": _paths(done.outputs)})
        return
    text = f"{counted(done.records, 'record')} of {len(done.files)} files, {done.size:,} bytes"
    if done.without_list:
        text += f"\nno list is written, for these have none: {', '.join(done.without_list)}"
    if done.unlisted:
        text += f"\n{counted(done.unlisted, 'record')} in no list"
    note(_lines(text, done.outputs))


def _paths(outputs: "Sequence[Published]") -> list[str]:
    return [one.path for one in outputs]


def rec_shard(
    file: File,
    shards: Annotated[int, typer.Option("--shards", metavar="N", min=1, help="How many files.")],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FOLDER", help="Where the files go. [beside FILE]"),
    ] = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    as_json: options.Json = False,
) -> None:
    """Deal the records out to several files, in order.

    FILE-00000-of-0000N.rec and so on, of equally many records, each with its index, and its rows of the list
    where there is one. Records keep bytes and numbers: mtool rec merge makes of them the same file again.

    \b
    For example:
      mtool rec shard train.rec --shards 4 -o shards
    """
    from manifest_tools.verbs.rec.shard import rec_shard as shard

    done = shard(file, shards, output, force=force, kms_key=kms_key, transfer=transfer)
    if as_json:
        made = [{"file": name, "records": records} for name, records in done.shards]
        print_json({"file": done.file, "records": done.records, "shards": made})
    else:
        note(table(done.shards, (f"{counted(done.records, 'record')} of {done.file}", "records")))


def rec_reindex(
    file: File,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="The new .idx. [beside FILE, of its name]"),
    ] = None,
    keys: Annotated[
        Literal["id", "count"] | None,
        typer.Option(
            "--keys",
            help="The numbers of the records, as im2rec writes, or a count from 0, as rec2idx does."
            " [id, where every record has its own]",
        ),
    ] = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    as_json: options.Json = False,
) -> None:
    """Make the index anew: a key and an offset a record.

    \b
    For example:
      mtool rec reindex train.rec
      mtool rec reindex train.rec --keys count --force
    """
    from manifest_tools.verbs.rec.reindex import rec_reindex as reindex

    if output == "-":
        keep_stdout_for_data()
    done = reindex(file, output, keys=keys, force=force, kms_key=kms_key, transfer=transfer)
    if as_json:
        told = {"file": done.file, "records": done.records, "keys": done.keys}
        print_json({**told, "outputs": _paths(done.outputs)})
    else:
        what = "their numbers are the keys" if done.keys == "id" else "keys count from 0"
        note(_lines(f"{counted(done.records, 'record')}; {what}", done.outputs))


def rec_repair(
    file: File,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="The new .rec. [FILE-repaired.rec]"),
    ] = None,
    decode: Annotated[
        bool, typer.Option("--decode", help="Leave out records too whose picture cannot be decoded.")
    ] = False,
    dry_run: options.DryRun = False,
    jobs: options.Jobs = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    as_json: options.Json = False,
) -> None:
    """Cut out what is no whole record, and say what it was.

    Of a file that was torn, everything up to the last whole record is kept; behind damage in the middle the
    next record is searched. The new file has an index, and its rows of the list. FILE itself stays, unless -o
    names it and --force replaces it. Where nothing has to be cut nothing is written.

    \b
    For example:
      mtool rec repair train.rec
      mtool rec repair train.rec --decode -o sound.rec
    """
    from manifest_tools.verbs.rec.repair import rec_repair as repair

    done = repair(
        file,
        output,
        decode=decode,
        dry_run=dry_run,
        force=force,
        kms_key=kms_key,
        jobs=jobs,
        transfer=transfer,
    )
    if as_json:
        told = {"file": done.file, "records": done.records, "cut_bytes": done.cut_bytes}
        cuts = {"cuts": [asdict(one) for one in done.cuts], "left_out": done.left_out}
        problems = {"problems": [asdict(one) for one in done.problems]}
        print_json({**told, **cuts, **problems, "outputs": _paths(done.outputs)})
    else:
        note(_lines(_repair_report(done, dry_run), done.outputs))


def _repair_report(done: "Repaired", dry_run: bool) -> str:
    if not (done.cut_bytes or done.left_out):
        return f"{done.file}: {counted(done.records, 'record')}, all whole; nothing to cut, nothing written"
    text = [
        f"cut behind {counted(one.records_before, 'record')}:"
        f" bytes {one.offset:,} to {one.end:,}: {one.reason}"
        for one in done.cuts[:_FEW]
    ]
    text += [f"left out: {clean(str(one))}" for one in done.problems[:_FEW]]
    text.append(
        f"{counted(done.records, 'record')} kept, {counted(done.cut_bytes, 'byte')} cut,"
        f" {counted(done.left_out, 'record')} left out"
    )
    return "\n".join([*text, "dry run, nothing written"] if dry_run else text)
