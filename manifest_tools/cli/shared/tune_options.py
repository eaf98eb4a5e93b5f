"""The options of tune, for both files of it."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from manifest_tools.cli.shared.learning_options import DataOptions
from manifest_tools.cli.shared.local_options import LocalOptions
from manifest_tools.cli.shared.sagemaker_options import IN_SAGEMAKER, JobOptions
from manifest_tools.io.sinks import check_free, output_file
from trainers.sagemaker.requests.tuning_job import Strategy

BEST = "best.json"


@dataclass(frozen=True, kw_only=True)
class TrialOptions(DataOptions):
    """What is varied."""

    SECTION = "Trials"

    range_: Annotated[
        list[str],
        typer.Option("--range", metavar="NAME=LOW:HIGH[:log]", help="Vary it between two ends; repeats."),
    ] = field(default_factory=list)
    choice: Annotated[
        list[str], typer.Option(metavar="NAME=VALUE", help="Try this value of it; may be repeated.")
    ] = field(default_factory=list)
    max_jobs: Annotated[int, typer.Option(metavar="N", help="Trials in all.")] = 20
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="End trials that do worse than the others.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class TuneOptions(JobOptions, LocalOptions, TrialOptions):
    """The options of tune."""

    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, rich_help_panel=IN_SAGEMAKER, help="Trials at the same time.")
    ] = 1
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", rich_help_panel=IN_SAGEMAKER, help="What to aim at. [the algorithm's first]"
        ),
    ] = None
    strategy: Annotated[
        Strategy, typer.Option(rich_help_panel=IN_SAGEMAKER, help="How the next values are chosen.")
    ] = "Bayesian"
    max_total: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", rich_help_panel=IN_SAGEMAKER, help="Stop all trials after so long: 12h, 2d."
        ),
    ] = None
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where the study goes; builtin: s3://bucket/prefix."
        ),
    ] = "tuning"
    best: Annotated[
        str, typer.Option(metavar="FILE", help="Where the best parameters go, for train --params.")
    ] = BEST

    @property
    def best_file(self) -> str:
        """The file of the best parameters."""
        return output_file(self.best, BEST)

    def check_best_is_free(self) -> None:
        """Raise Exists where the file of the best parameters would be replaced without --force."""
        if not self.force:
            check_free(self.best_file, "--best")
