"""``mtool tune``."""

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.sagemaker_options import check_trainer
from manifest_tools.cli.shared.tune_options import TuneOptions
from trainers.registry import BUILTIN


def tune(context: typer.Context, given: TuneOptions) -> None:
    """Find the parameters that give the best model.

    Writes them to best.json, which `mtool train --params best.json` takes. On this machine each trial is a
    training run, and the study is kept in FOLDER: after Ctrl-C the same command continues it. With --trainer
    builtin each trial is a training job in SageMaker, and is billed.

    \b
    For example:
      mtool tune --images ./raw-data --range learning_rate=0.0001:0.01:log --max-jobs 10
      mtool tune --trainer builtin -o s3://lab3-models/hands --range learning_rate=0.01:0.1 --concurrency 2
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
