"""``mtool tune`` on this machine."""

import os
from functools import partial
from typing import TYPE_CHECKING

import typer

from manifest_tools.cli.shared.best_parameters import write_best
from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.local_options import choices_of, require
from manifest_tools.cli.shared.pictures import contradictions, read_data
from manifest_tools.cli.shared.screen import clean, note, print_json, warn
from manifest_tools.cli.shared.trial_table import TrialTable
from manifest_tools.cli.shared.tune_options import TuneOptions
from manifest_tools.cli.shared.two_parts import in_two_parts

if TYPE_CHECKING:
    from trainers.choice import Facts
    from trainers.prepare import PlannedPair
    from trainers.ranges import Ranges
    from trainers.tuning import Search, Tuned
    from trainers.words.learning import Choices

_METRIC = "validation accuracy"


def tune(given: TuneOptions, ranges: "Ranges") -> None:
    """Run the trials on this machine, and write the best parameters."""
    from trainers.ranges import check_names
    from trainers.tuning import Search

    _check_outputs(given)
    given = in_two_parts(given, force=given.force, dry_run=given.dry_run, jobs=given.jobs)
    require(given)
    search = Search(ranges, given.max_jobs, given.seed, given.early_stopping)
    check_names(ranges, given.typed)
    pair = _read(given)
    choices = choices_of(given)
    facts = choices.facts(pair)
    choices.config(facts)  # refuses what the trainer does not have, before any work
    names = ", ".join(one.name for one in ranges)
    note(f"{pair.counts[0]:,} training pictures, up to {search.max_jobs:,} trials of {names}")
    for text in contradictions(pair, given.conflicts):
        note(text)
    if given.dry_run:
        note("dry run, nothing written")
        if given.as_json:
            print_json({"pictures": pair.counts[0], "ranges": search.to_json(), "output": given.output})
        return
    tuned = _run_trials(given, pair, choices, facts, search)
    values = {name: value for name, value in tuned.config.to_json().items() if value != ""}
    write_best(given, values, tuned.best, len(tuned.trials), _METRIC)
    for published in tuned.published:
        note(f"{clean(published.path)}: {published.state}")


def _check_outputs(given: TuneOptions) -> None:
    """Raise Refused for a study in S3, and for a best.json that exists where no study is continued."""
    from trainers.tuning import STUDY, check_place

    check_place(given.output)
    if not os.path.exists(os.path.join(given.output, STUDY)):
        given.check_best_is_free()


def _read(given: TuneOptions) -> "PlannedPair":
    from manifest_tools.groundtruth.classes import classes_from
    from trainers.prepare import read_pair

    table = classes_from(given.classes)
    manifests = given.train_manifest, given.validation_manifest
    return read_pair(*manifests, given.label_attribute, table, given.images or (), given.conflicts)


def _run_trials(
    given: TuneOptions, pair: "PlannedPair", choices: "Choices", facts: "Facts", search: "Search"
) -> "Tuned":
    """Run the trials while a table shows them; Ctrl-C leaves those that are over in the study."""
    from trainers.words.tune import run_trials

    read, table = partial(read_data, jobs=given.jobs), TrialTable(_METRIC)
    try:
        return run_trials(pair, choices, facts, search, given.output, read, table.show, force=given.force)
    except KeyboardInterrupt:
        table.close()
        folder = clean(given.output)
        warn(f"interrupted; the trials so far are in {folder}; type the same command to continue")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        table.close()
