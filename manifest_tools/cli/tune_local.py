"""``mtool tune`` on this machine."""

import os
from typing import TYPE_CHECKING, Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.best_parameters import tell_best
from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.make_command import typed_names
from manifest_tools.cli.shared.options import check_free
from manifest_tools.cli.shared.pictures import data_sets
from manifest_tools.cli.shared.screen import clean, note
from manifest_tools.cli.shared.trial_table import TrialTable

if TYPE_CHECKING:
    from trainers.ranges import Ranges
    from trainers.tuning import Tuned


def tune(context: typer.Context, ranges: "Ranges") -> None:
    """Run the trials on this machine."""
    from trainers.tuning import STUDY

    typed = context.params
    output, best, quiet = typed["output"], typed["best"], typed["quiet"]
    if output.startswith("s3://"):
        raise Refused(f"--output {output}: expected a folder on this disk, where the study is a file")
    if not os.path.exists(os.path.join(output, STUDY)):
        check_free(best, typed["force"], "--best")
    shown = TrialTable(quiet)
    try:
        tuned = _study(context, ranges, shown)
    except KeyboardInterrupt:
        shown.close()
        note(f"interrupted; the trials so far are in {clean(output)}; type the same command to continue")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        shown.close()
    if tuned is not None:
        values = {name: value for name, value in tuned.config.to_json().items() if value != ""}
        tell_best(context, values, tuned.best, len(tuned.trials), "validation accuracy")
        _say_written(tuned, quiet)


def _say_written(tuned: "Tuned", quiet: bool) -> None:
    for published in tuned.published if not quiet else ():
        note(f"{clean(published.path)}: {published.state}")


def _study(context: typer.Context, ranges: "Ranges", shown: TrialTable) -> "Tuned | None":
    from manifest_tools.cli.shared.local_options import config_from, require
    from manifest_tools.groundtruth.classes import read_class_table
    from trainers.config import TrainConfig
    from trainers.dataset import Dataset
    from trainers.frameworks import load_trainer
    from trainers.prepare import read_pair, records_of_pair
    from trainers.ranges import check_names
    from trainers.tuning import Search
    from trainers.tuning import tune as run

    typed = context.params
    manifests = typed["train_manifest"], typed["validation_manifest"]
    require(*manifests)
    search = Search(ranges, typed["max_jobs"], typed["seed"], typed["early_stopping"])
    check_names(ranges, typed_names(context))
    table = read_class_table(typed["classes"]) if typed["classes"] else None
    pair = read_pair(*manifests, typed["label_attribute"], table, typed["images"] or ())
    known: dict[int, tuple[Dataset, Dataset]] = {}

    def make(varied: dict[str, Any]) -> TrainConfig:
        return config_from(context, typed["params"], pair.counts[0], varied)

    def read(side: int) -> tuple[Dataset, Dataset]:
        if side not in known:
            place = os.path.join(typed["output"], f"pictures-{side}")
            plans = records_of_pair(pair, place, side)
            known[side] = data_sets(plans, typed["jobs"], typed["quiet"])[0]
        return known[side]

    make({})  # refuses what the trainer does not have, before any work
    load_trainer(typed["trainer"])
    if not typed["quiet"] or typed["dry_run"]:
        names = ", ".join(one.name for one in ranges)
        pictures = f"{pair.counts[0]:,} training pictures"
        note(f"{pictures}, up to {search.max_jobs:,} trials of {names}")
    if typed["dry_run"]:
        note("dry run, nothing written")
        return None
    return run(
        read, make, search, typed["output"], shown.show, trainer=typed["trainer"], force=typed["force"]
    )
