"""``mtool tune``."""

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.sagemaker_options import check_trainer
from manifest_tools.cli.shared.tune_options import TuneOptions
from trainers.registry import BUILTIN


def tune(context: typer.Context, given: TuneOptions) -> None:
    """Find parameters that learn best, by trying.

    Writes them to best.json, which `mtool train --params best.json` takes. Here each trial is a run on this
    machine, and the study in FOLDER goes on where it was left: Ctrl-C, and the same words again. With
    --trainer builtin each is a training job in SageMaker, and is billed.

    \b
    For example:
      mtool tune --images ./raw-data --range learning_rate=0.0001:0.01:log --max-jobs 10
      mtool tune --trainer builtin -o s3://lab3-models/hands --range learning_rate=0.001:0.1:log --parallel 2
    """
    from trainers.ranges import read_ranges

    check_trainer(given.trainer, context)
    if not (given.range_ or given.choice or given.attach):
        raise Refused("nothing is varied; type --range learning_rate=0.0001:0.01:log, or --choice")
    ranges = read_ranges(given.range_, given.choice)
    if given.trainer == BUILTIN:
        from manifest_tools.cli.tune_sagemaker import tune as tune_in_sagemaker

        tune_in_sagemaker(given, ranges)
    else:
        from manifest_tools.cli.tune_local import tune as tune_here

        tune_here(given, ranges)
