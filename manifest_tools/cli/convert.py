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
    from manifest_tools.verbs.convert.convert import Converted


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
    classes: options.Classes = None,
    jobs: options.Jobs = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Convert to RecordIO, folders or COCO, and back.

    Makes such a data set of manifests and their pictures, or with --from a manifest of such a data set.
    recordio writes NAME.rec, NAME.idx and NAME.lst as MXNet's im2rec does; folder writes a folder a class;
    coco writes NAME.coco.json. Several manifests become parts of one data set, in the folder NAME, with the
    same class indices. A picture that is missing or broken is reported with its line, and the run goes on;
    exit code 1 then.

    \b
    For example:
      mtool convert train.manifest --to recordio -o train --images ./raw-data
      mtool convert train.manifest --to folder -o by-class --link --images ./raw-data
      mtool convert train.manifest validation.manifest --to coco -o boxes
      mtool convert --from coco boxes/train.coco.json -o train.manifest --source-prefix s3://bucket/raw
    """
    from manifest_tools.groundtruth.classes import classes_from

    if output == "-":
        keep_stdout_for_data()
    if to is not None and from_ is not None:
        raise Refused("--to and --from: type one of them; from one data set to another goes by a manifest")
    if to is None and from_ is None:
        raise Refused(f"expected --to FORMAT ({', '.join(WRITTEN)}) or --from FORMAT ({', '.join(READ)})")
    choices: dict[str, Any] = {
        "label_attribute": label_attribute,
        "classes": classes_from(classes),
    }
    how = {"force": force, "kms_key": kms_key}
    if from_ is not None:
        changes = {
            "--resize": resize,
            "--pass-through": pass_through,
            "--square": square,
            "--link": link,
            "--upright": upright,
        }
        _check_goes_with("--to", changes)
        choices["source_prefix"] = source_prefix
        done = _from(manifests, from_, output, choices, how, dry_run, as_json)
    else:
        _check_goes_with("--from", {"--source-prefix": source_prefix})
        choices |= {
            "images": images or (),
            "resize": resize,
            "quality": quality,
            "pass_through": pass_through,
        }
        choices |= {"square": square, "link": link, "upright": upright, "jobs": jobs}
        done = _to(manifests, to or "", output, choices, {**how, "jobs": jobs}, dry_run, as_json)
    if done is None:
        return
    show_problems(done.problems)
    if as_json:
        print_json(as_value(done))
    note(summary(done))
    if done.problems or done.lost:
        raise typer.Exit(1)


def _check_goes_with(word: str, typed: Mapping[str, Any]) -> None:
    for option, value in typed.items():
        if value not in (None, False, ""):
            raise Refused(f"{option} goes with {word}; leave it out, or type {word} FORMAT")


def _to(
    manifests: list[str],
    to: str,
    output: str | None,
    choices: dict[str, Any],
    how: dict[str, Any],
    dry_run: bool,
    as_json: bool,
) -> "Converted | None":
    """Convert manifests; ``dry_run`` only says what would be done, and returns None."""
    from manifest_tools.verbs.convert.convert import NothingUsable, carry_out, plan_all

    plans = plan_all(manifests, to, output, **choices)
    fetches = [pictures_of(plan) for plan in plans]
    if dry_run:
        count = sum(plan.count for plan in plans)
        note(f"{count:,} pictures would become {plans[0].output} ({to})")
        if as_json:
            print_json({"outputs": [], "pictures": count, "would_write": [plans[0].output]})
        return None
    try:
        return carry_out(*plans, fetch=next(filter(None, fetches), None), progress=progress, **how)
    except NothingUsable as error:
        show_problems(error.problems)
        raise


def _from(
    places: list[str],
    source_format: str,
    output: str | None,
    choices: dict[str, Any],
    how: dict[str, Any],
    dry_run: bool,
    as_json: bool,
) -> "Converted | None":
    """Convert to a manifest; ``dry_run`` only says what would be done, and returns None."""
    from manifest_tools.verbs.convert.from_format import plan_manifests, write_manifests

    if len(places) > 1:
        raise Refused(f"--from {source_format}: expected one file or folder, found {len(places)}")
    data, outputs = plan_manifests(places[0], source_format, output, **choices)
    if dry_run:
        note(f"{places[0]} ({source_format}) would become {', '.join(outputs.values())}")
        if as_json:
            print_json({"outputs": [], "would_write": list(outputs.values())})
        return None
    done = write_manifests(data, outputs, **how)
    if done.on_this_disk:
        note(
            f"pictures named by a path, not by a URI in S3: {done.on_this_disk:,} of {done.pictures:,};"
            " for a manifest that SageMaker can use, type --source-prefix s3://BUCKET/PREFIX"
        )
    return done


def summary(done: "Converted") -> str:
    """Say in a few lines what was made, and what is not in it."""
    named = ", ".join(f"{clean(output.path)} ({output.state})" for output in done.outputs)
    of = f"{counted(done.pictures, 'picture')} of {counted(done.table.num_classes, 'class')}"
    text = f"{of}: {named}"
    if done.problems:
        text += f"\nleft out as unusable: {counted(len(done.problems), 'picture')}"
    text += "".join(f"\n{clean(remark)}" for remark in done.remarks)
    if done.left_out:
        text += f"\nlines without a label: {by_state(done.left_out)}"
    if done.lost:
        lost = ", ".join(f"{what} ({count:,})" for what, count in sorted(done.lost.items()))
        text += f"\na manifest cannot hold these, so they were left out: {lost}"
    return text


def as_value(done: "Converted") -> dict[str, Any]:
    """Return the report for machines."""
    from dataclasses import asdict

    return {
        "outputs": [asdict(output) for output in done.outputs],
        "pictures": done.pictures,
        "problems": [asdict(problem) for problem in done.problems],
        "left_out": done.left_out,
        "lost": done.lost,
        "remarks": list(done.remarks),
        **done.table.to_json(),
    }
