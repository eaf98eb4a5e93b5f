"""``mtool doctor``."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, print_json

if TYPE_CHECKING:
    from trainers.sagemaker.account.doctor import Examination, RecognisedFailure

UNEXPLAINED = 1

_NOTHING_KNOWN = "none of the known failures is in it"

_LONGEST = 2_000  # characters of a reason or a line: a container may have put its whole log in


def doctor(
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="A job or an endpoint; - reads a text from here.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A message that you have, in place of a job.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Say why a job failed, and what to type.

    Reads the failure reason and the end of the log, and holds them against the failures that others met.
    Exit code 1 where something failed that is not among them.

    \b
    For example:
      mtool doctor birds-20240301-123005
      mtool doctor --text "ClientError: Empty .rec file in train channel"
      mtool doctor - < job.log
    """
    from trainers.sagemaker.account.doctor import examine, examine_text

    if (job is None) == (text is None):
        raise Refused("expected a job, or --text; type: mtool doctor JOB; mtool jobs lists them")
    if text is not None:
        found = examine_text(text)
    elif job == "-":
        found = examine_text(sys.stdin.buffer.read().decode("utf-8", "replace"))
    elif os.path.isfile(str(job)):
        raise Refused(f"{job}: expected a job's name, found a file; type: mtool doctor - < {job}")
    else:
        found = examine(str(job))
    shown = _as_text(found)
    if as_json:
        print_json(_as_json(found))
    else:
        print(shown)
    if found.unexplained:
        if shown != _NOTHING_KNOWN:
            note("this is not among the known failures; the lines above are all that was said")
        raise typer.Exit(UNEXPLAINED)


def _as_text(found: "Examination") -> str:
    lines = [f"{found.name}: {found.state}"] if found.name else []
    lines += [f"reason: {_one_line(found.reason)}"] if found.reason else []
    lines += [f"{found.state}: {found.ending}"] if found.ending else []
    lines += [found.note] if found.note else []
    if found.name and not (found.reason or found.ending or found.recognised) and found.state != "Failed":
        lines += ["nothing has failed"]
    for one in found.recognised:
        lines += ["", *_failure_lines(one)]
    if not found.recognised:
        lines += [f"log: {_one_line(line)}" for line in found.faults]
    return "\n".join(lines).lstrip("\n") or _NOTHING_KNOWN


def _failure_lines(one: "RecognisedFailure") -> list[str]:
    failure = one.failure
    return [
        f"known failure {failure.row}: {failure.title}",
        f"  seen in: {one.where}",
        f"  cause:   {failure.cause}",
        f"  fix:     {failure.fix}",
        f"  type:    {clean(one.command)}",
        *(f"  source:  {source}" for source in failure.sources),
    ]


def _one_line(text: str) -> str:
    words = clean(" ".join(text.split()))
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}... ({len(words):,} characters)"


def _as_json(found: "Examination") -> dict[str, object]:
    known = [
        {
            "row": one.failure.row,
            "title": one.failure.title,
            "where": one.where,
            "cause": one.failure.cause,
            "fix": one.failure.fix,
            "type": one.command,
            "codes": list(one.failure.codes),
            "sources": list(one.failure.sources),
        }
        for one in found.recognised
    ]
    about = {"job": found.name, "kind": found.kind, "state": found.state, "reason": found.reason}
    return about | {"ending": found.ending, "known": known, "log": list(found.faults), "remark": found.note}
