"""A SageMaker Processing script: from a labeling job's manifest to two that a training job can take.

1. replaces ``lab#`` by the lab ID,
2. stops if ``validate`` finds an error,
3. splits 80/20, and
4. writes the counts by class as CSV.

    python processing.py --lab lab3 --input /opt/ml/processing/input --output /opt/ml/processing/output
"""

import argparse
from pathlib import Path

import manifest_tools


def prepare(source: Path, output: Path, lab: str) -> manifest_tools.Split:
    """Rewrite, check and split ``source`` into the folder ``output``."""
    output.mkdir(parents=True, exist_ok=True)
    ready = output / "ready.manifest"
    manifest_tools.rewrite(source, lab=lab, output=ready, force=True)
    errors = [problem for problem in manifest_tools.validate(ready) if problem.severity == "error"]
    if errors:
        raise SystemExit("\n".join(map(str, errors)))
    manifest_tools.stats(ready).to_frame().to_csv(output / "stats.csv", index=False)
    return manifest_tools.split(ready, output, force=True)


def main() -> None:
    """Read the folders of the job from the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lab", required=True)
    options.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input"))
    options.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    chosen = options.parse_args()
    parts = prepare(chosen.input / "output.manifest", chosen.output, chosen.lab)
    print(f"{parts.lines} lines, {parts.table.num_classes} classes")


if __name__ == "__main__":
    main()
