"""``mtool convert``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import by_state, counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.pictures import pictures_of, show_problems
from manifest_tools.cli.shared.screen import clean, keep_stdout_for_data, note, print_json, progress
from manifest_tools.formats.table import READ, WRITTEN

if TYPE_CHECKING:
    from manifest_tools.verbs.convert.result import Converted


_NAMED = 12  # outputs that are named; the rest are counted


def convert(
    manifests: Annotated[
        list[str],
        typer.Argument(
            metavar="MANIFEST",
            help="Paths, s3:// URIs, or -; .gz will do. With --from, a file or folder.",
        ),
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help=f"What to write: {', '.join(WRITTEN)}.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help=f"What to read: {', '.join(READ)}.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="NAME",
            help="NAME.rec, NAME.coco.json, or the folder NAME; with --from, the manifest.",
        ),
    ] = None,
    images: options.Images = None,
    cache: options.Cache = None,
    label_attribute: options.LabelAttribute = None,
    source_prefix: Annotated[
        str,
        typer.Option(
            "--source-prefix",
            metavar="S3-URI",
            help="With --from: where the pictures lie in S3, as s3://bucket/prefix.",
        ),
    ] = "",
    resize: Annotated[
        int | None,
        typer.Option(
            "--resize", metavar="N", help="Pixels of the shorter edge; 0 keeps the size. [recordio: 256]"
        ),
    ] = None,
    quality: Annotated[int, typer.Option("--quality", metavar="N", help="Of the JPEGs, 1 to 100.")] = 95,
    pass_through: Annotated[
        bool, typer.Option("--pass-through", help="Leave the pictures' bytes as they are.")
    ] = False,
    square: Annotated[bool, typer.Option("--square", help="Cut the middle out before the resize.")] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Folder: hard links instead of copies, on one file system.")
    ] = False,
    upright: Annotated[
        bool,
        typer.Option(
            "--upright",
            help="Turn copied pictures by their EXIF flag; JPEGs are encoded anew, with their own tables.",
        ),
    ] = False,
    unchecked: Annotated[
        bool,
        typer.Option(
            "--unchecked",
            help="Check header and structure of pictures that stay as they are, and decode none: faster.",
        ),
    ] = False,
    clip: Annotated[
        bool, typer.Option("--clip", help="Cut boxes off at the edges of their pictures.")
    ] = False,
    shard: Annotated[
        int | None,
        typer.Option("--shard", metavar="N", help="Cut each part into files of N pictures at most."),
    ] = None,
    beside: Annotated[
        bool,
        typer.Option("--beside", help="Leave pictures where they are, and name them: --to parquet."),
    ] = False,
    side_car: Annotated[
        bool,
        typer.Option(
            "--side-car",
            help="Keep beside the output what it cannot hold; --from takes it back, byte for byte.",
        ),
    ] = False,
    allow_loss: Annotated[
        bool, typer.Option("--allow-loss", help="Go on without what the output cannot hold.")
    ] = False,
    croissant: Annotated[
        bool,
        typer.Option(
            "--croissant", help="Describe the output in NAME.croissant.json, for MLCommons' readers."
        ),
    ] = False,
    max_errors: Annotated[
        int | None,
        typer.Option(
            "--max-errors", metavar="N", help="Stop, and write nothing, when more pictures are unusable."
        ),
    ] = None,
    quarantine: Annotated[
        str | None,
        typer.Option(
            "--quarantine", metavar="FILE", help="JSON Lines of what is unusable: line, reason, stage."
        ),
    ] = None,
    retry: Annotated[
        str | None,
        typer.Option(
            "--retry", metavar="FILE", help="Convert just the lines of such a file, under their numbers."
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            "--dask", metavar="ADDRESS", help="Workers of the Dask scheduler tcp://HOST:PORT, or local."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on where a killed run was; if this one fails, keep what is finished."
        ),
    ] = False,
    classes: options.Classes = None,
    jobs: options.Jobs = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Convert to the data set formats of the field, and back.

    Makes such a data set of manifests and their pictures, with --from a manifest of such a data set, and with
    both one data set of another. Several manifests become parts of one data set, with the same class indices.
    What the format cannot hold is said before anything is written: --side-car keeps it beside the output,
    --allow-loss goes on without. A picture that is missing or broken is reported with its line, and the run
    goes on; exit code 1 then.

    \b
    For example:
      mtool convert train.manifest --to recordio -o train --images ./raw-data --side-car
      mtool convert train.manifest --to folder -o by-class --link --images ./raw-data --allow-loss
      mtool convert train.manifest validation.manifest --to coco -o boxes
      mtool convert --from coco boxes/train.coco.json -o train.manifest --source-prefix s3://bucket/raw
      mtool convert --from coco boxes/train.coco.json --to folder -o by-class --images ./raw-data
    """
    from manifest_tools.groundtruth.classes import classes_from

    if output == "-":
        keep_stdout_for_data()
    if to is None and from_ is None:
        raise Refused(f"expected --to FORMAT ({', '.join(WRITTEN)}) or --from FORMAT ({', '.join(READ)})")
    choices: dict[str, Any] = {"label_attribute": label_attribute, "classes": classes_from(classes)}
    how: dict[str, Any] = {"force": force, "kms_key": kms_key}
    changes: dict[str, Any] = {
        "--resize": resize,
        "--pass-through": pass_through,
        "--square": square,
        "--link": link,
        "--upright": upright,
        "--unchecked": unchecked,
        "--clip": clip,
        "--shard": shard,
        "--beside": beside,
        "--side-car": side_car,
        "--resume": resume,
        "--dask": dask,
        "--croissant": croissant,
        "--retry": retry,
        "--max-errors": max_errors,
        "--quarantine": quarantine,
        "--cache": cache,
    }
    if to is None:
        _check_goes_with("--to", changes)
        choices |= {"source_prefix": source_prefix, "images": images or ()}
        done = _from(manifests, from_ or "", output, choices, how, allow_loss, dry_run, as_json)
    else:
        _check_goes_without("--to", {"--source-prefix": source_prefix})
        choices |= {_keyword(option): value for option, value in changes.items() if option not in _OF_THE_RUN}
        choices |= {"from_": from_, "images": images or (), "quality": quality, "jobs": jobs}
        loss = (allow_loss, side_car, jobs)
        how |= {"jobs": jobs, "resume": resume, "croissant": croissant}
        how |= {"max_errors": max_errors, "quarantine": quarantine, "dask": dask}
        done = _to(manifests, to, output, choices, how, loss, cache, dry_run, as_json)
    if done is None:
        return
    show_problems(done.problems, done.unusable)
    if as_json:
        print_json(as_value(done))
    note(summary(done, to or "a manifest"))
    if done.unusable:
        raise typer.Exit(1)


# What does not decide the bytes of the output.
_OF_THE_RUN = ("--dask", "--side-car", "--resume", "--croissant", "--max-errors", "--quarantine", "--cache")


def _keyword(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _check_goes_with(word: str, typed: Mapping[str, Any]) -> None:
    for option, value in typed.items():
        if value not in (None, False, ""):
            raise Refused(f"{option} goes with {word}; leave it out, or type {word} FORMAT")


def _check_goes_without(word: str, typed: Mapping[str, Any]) -> None:
    for option, value in typed.items():
        if value:
            raise Refused(f"{option}: goes with --from alone, without {word}; leave it out")


def _to(
    manifests: list[str],
    to: str,
    output: str | None,
    choices: dict[str, Any],
    how: dict[str, Any],
    loss: tuple[bool, bool, int | None],
    cache: str | None,
    dry_run: bool,
    as_json: bool,
) -> "Converted | None":
    """Convert manifests; ``dry_run`` only says what would be done, and returns None."""
    from manifest_tools.verbs.convert.agreed_losses import agreed_losses
    from manifest_tools.verbs.convert.carry_out import carry_out
    from manifest_tools.verbs.convert.convert import plan_all
    from manifest_tools.verbs.convert.left_out_pictures import TooManyUnusable
    from manifest_tools.verbs.convert.result import NothingUsable

    plans = plan_all(manifests, to, output, **choices)
    lost = agreed_losses(plans, *loss)
    fetches = [pictures_of(plan, cache) for plan in plans]
    if dry_run:
        count = sum(plan.count for plan in plans)
        outputs = list(dict.fromkeys(plan.main_output for plan in plans))
        beside = [f"{plans[0].output}.side-car.jsonl"] * loss[1]
        note(f"{count:,} pictures would become {', '.join([*outputs, *beside])} ({to})")
        if as_json:
            would = {"would_write": [*outputs, *beside], "lost": lost}
            print_json({"outputs": [], "pictures": count, **would})
        return None
    try:
        fetch = next(filter(None, fetches), None)
        return carry_out(*plans, lost=lost, side_car=loss[1], fetch=fetch, progress=progress, **how)
    except (NothingUsable, TooManyUnusable) as error:
        show_problems(error.problems)
        raise


def _from(
    places: list[str],
    source_format: str,
    output: str | None,
    choices: dict[str, Any],
    how: dict[str, Any],
    allow_loss: bool,
    dry_run: bool,
    as_json: bool,
) -> "Converted | None":
    """Convert to a manifest; ``dry_run`` only says what would be done, and returns None."""
    from manifest_tools.verbs.convert.from_format import check_losses, plan_manifests, write_manifests

    if len(places) > 1:
        raise Refused(f"--from {source_format}: expected one file or folder, found {len(places)}")
    planned = plan_manifests(places[0], source_format, output, **choices)
    check_losses(planned, allow_loss)
    outputs = list(planned.outputs.values())
    if dry_run:
        note(f"{places[0]} ({source_format}) would become {', '.join(outputs)}")
        if as_json:
            print_json({"outputs": [], "would_write": outputs})
        return None
    done = write_manifests(planned, **how)
    if done.on_this_disk:
        note(
            f"pictures named by a path, not by a URI in S3: {done.on_this_disk:,} of {done.pictures:,};"
            " for a manifest that SageMaker can use, type --source-prefix s3://BUCKET/PREFIX"
        )
    return done


def summary(done: "Converted", to: str) -> str:
    """Say in a few lines what was made, and what is not in it."""
    from manifest_tools.verbs.convert.loss import in_words

    named = ", ".join(f"{clean(output.path)} ({output.state})" for output in done.outputs[:_NAMED])
    if len(done.outputs) > _NAMED:
        named += f" and {len(done.outputs) - _NAMED:,} more files"
    of = f"{counted(done.pictures, 'picture')} of {counted(done.table.num_classes, 'class')}"
    text = f"{of}: {named}"
    if done.unusable:
        text += f"\nleft out as unusable: {counted(sum(done.unusable.values()), 'picture')}"
    text += "".join(f"\n{clean(remark)}" for remark in done.remarks)
    if done.left_out:
        text += f"\nlines without a label: {by_state(done.left_out)}"
    if done.lost:
        text += f"\nleft out, as {to} cannot hold it: {in_words(done.lost)}"
    return text


def as_value(done: "Converted") -> dict[str, Any]:
    """Return the report for machines."""
    from dataclasses import asdict

    return {
        "outputs": [asdict(output) for output in done.outputs],
        "pictures": done.pictures,
        "problems": [asdict(problem) for problem in done.problems],
        "unusable": done.unusable,
        "left_out": done.left_out,
        "lost": done.lost,
        "remarks": list(done.remarks),
        **done.table.to_json(),
    }
