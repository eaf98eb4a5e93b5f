"""``mtool rec``: RecordIO files of any origin; each word behind it is a function here or in ``rec_files``."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manifest_tools.base.text import counted
from manifest_tools.cli.rec_files import File
from manifest_tools.cli.rec_files import rec_extract as rec_extract
from manifest_tools.cli.rec_files import rec_merge as rec_merge
from manifest_tools.cli.rec_files import rec_reindex as rec_reindex
from manifest_tools.cli.rec_files import rec_repair as rec_repair
from manifest_tools.cli.rec_files import rec_shard as rec_shard
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, print_json, streaming, table, transfer

if TYPE_CHECKING:
    from manifest_tools.verbs.rec.list_records import Listed
    from manifest_tools.verbs.rec.verify import Verified

_FEW = 20  # records that a table has where nothing was typed
_PAGE = 500  # rows that are laid out together
_LABELS = 6  # of a record that a table shows


def rec() -> None:
    """Look into RecordIO files, take apart, join, mend them.

    Those of im2rec, MXNet or mtool convert, with or without their .idx and .lst. Neither MXNet nor the
    pictures themselves are needed.

    \b
    For example:
      mtool rec list train.rec
      mtool rec verify train.rec --decode
      mtool rec merge a.rec b.rec -o all.rec
    """


def rec_list(
    file: File,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="List the first N records. [20; with --json all]"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: an object for each record.")
    ] = False,
) -> None:
    """List the records: labels, and what the pictures are.

    Number, labels, bytes, and format and size of the picture by its header; nothing is decoded. Names come
    from the .lst of its name, where there is one.

    \b
    For example:
      mtool rec list train.rec
      mtool rec list train.rec --json | jq .labels
    """
    from manifest_tools.verbs.rec.list_records import rec_list as list_records

    shown = list_records(file, limit=limit if as_json or limit else _FEW + 1)
    with streaming(for_a_program=as_json, to_the_end=False) as print_line:
        if as_json:
            for one in shown:
                print_line(_json_line(one))
            return
        for line in _table(shown, limit):
            print_line(line)


def _json_line(one: "Listed") -> str:
    import json

    known = {name: value for name, value in asdict(one).items() if value not in (None, "")}
    known["labels"] = [label if isfinite(label) else str(label) for label in one.labels]
    if not one.width:
        del known["width"], known["height"]
    return json.dumps(known)


def _table(records: Iterator["Listed"], limit: int | None) -> Iterator[str]:
    headers = ("record", "id", "labels", "bytes", "picture", "size", "name")
    while page := list(islice(records, _PAGE)):
        kept = page if limit else page[:_FEW]
        yield table([_row(one) for one in kept], headers)
        if len(kept) < len(page):
            yield f"... more than {_FEW}; --limit N lists more, --json all"


def _row(one: "Listed") -> Sequence[object]:
    size = f"{one.width} x {one.height}" if one.width else ""
    key = "" if one.id is None else str(one.id)
    return (one.number, key, _labels(one.labels), one.size, one.format or one.found, size, one.name)


def _labels(labels: Sequence[float]) -> str:
    more = f" ... ({len(labels):,})" if len(labels) > _LABELS else ""
    return " ".join(f"{label:g}" for label in labels[:_LABELS]) + more


def rec_verify(
    file: File,
    decode: Annotated[
        bool,
        typer.Option("--decode", help="Decode every picture: finds those that a reader would fail on."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for a warning too.")] = False,
    max_problems: Annotated[
        int | None,
        typer.Option(
            "--max-problems", metavar="N", min=1, help="Print the first N problems; all are counted."
        ),
    ] = None,
    jobs: options.Jobs = None,
    as_json: options.Json = False,
) -> None:
    """Print every problem of a .rec, its .idx and its .lst.

    The framing to the last byte, the header and picture of each record, and whether the .idx and the .lst of
    its name agree with it. A problem has the number of its record, and a code that `mtool explain` knows.
    Exits with 1 when there is an error, or with --strict a warning.

    \b
    For example:
      mtool rec verify train.rec
      mtool rec verify train.rec --decode
    """
    from manifest_tools.verbs.rec.verify import rec_verify as verify

    found = verify(file, decode=decode, jobs=jobs, transfer=transfer)
    shown = found.problems[:max_problems]
    if as_json:
        print_json(_verified_json(found, shown))
    else:
        for problem in shown:
            print(clean(str(problem)))
        note(_verified_report(found, len(shown)))
    if found.errors or (strict and found.warnings):
        raise typer.Exit(1)


def _verified_json(found: "Verified", shown: Sequence[Any]) -> dict[str, Any]:
    return {
        "file": found.file,
        "records": found.records,
        "bytes": found.size,
        "decoded": found.decoded,
        "compared": list(found.compared),
        "errors": found.errors,
        "warnings": found.warnings,
        "counts": found.counts,
        "problems": [asdict(one) for one in shown],
    }


def _verified_report(found: "Verified", shown: int) -> str:
    what = "with their pictures decoded" if found.decoded else "pictures not decoded"
    text = [f"{found.file}: {counted(found.records, 'record')}, {found.size:,} bytes, {what}"]
    if found.compared:
        text[0] += f", compared with {' and '.join(found.compared)}"
    more = sum(found.counts.values()) - shown
    if more:
        text.append(f"{more:,} more problems are not printed")
    if found.repeated is not None:
        text.append(
            f"several records have the number {found.repeated}: a reader by key finds the last of them"
        )
    verdict = [counted(found.errors, "error")] * bool(found.errors)
    verdict += [counted(found.warnings, "warning")] * bool(found.warnings)
    text.append(", ".join(verdict) or "no problem")
    return "\n".join(text)
