"""``python -m benchmarks.manifests``: the manifest verbs on a million lines, beside what people use today.

Makes its manifest in ``benchmarks/data`` on the first run. Every row is a whole process, start-up and all;
``--lines`` and ``--runs`` make it smaller, ``--ten`` adds ten times the lines.
"""

import argparse
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Figures, machine, measure, megabytes, mtool

DATA = Path(__file__).parent / "data"
PEERS = Path(__file__).parent / "peers"
ATTRIBUTE = "lab#-labeling-job"
WORKSHOP = "workshop's split"
SED = "sed s/lab#/lab3/g"


@dataclass(frozen=True, slots=True)
class Case:
    """One command to time, and the peer that it is compared with."""

    name: str
    command: list[str]
    against: str = ""
    shell: bool = False
    makes: tuple[str, ...] = ()


def make_manifest(path: Path, lines: int) -> None:
    """Write a single-label manifest of 257 classes, about 302 bytes a line, as Ground Truth spells it."""
    chance = random.Random(0)
    with path.open("w") as file:
        for number in range(lines):
            index = chance.randrange(257)
            file.write(
                f'{{"source-ref":"s3://lab#-rawdata/IMG_{number:07d}.JPG",'
                f'"{ATTRIBUTE}":{index},"{ATTRIBUTE}-metadata":{{"confidence":{chance.random():.2f},'
                f'"job-name":"labeling-job/{ATTRIBUTE}","class-name":"{index:03d}.class",'
                f'"human-annotated":"yes","creation-date":"2019-05-04T20:26:{number % 60:02d}.'
                f'{number % 10**6:06d}",'
                f'"type":"groundtruth/image-classification"}}}}\n'
            )


def cases(manifest: str) -> list[Case]:
    """Return what is timed, the peers first."""
    python = sys.executable
    both = ("t.manifest", "v.manifest")
    parts = ("parts/train.manifest", "parts/validation.manifest", "parts/split.json")
    workshop = [python, str(PEERS / "workshop_split.py"), manifest, *both]
    pandas = [python, str(PEERS / "pandas_split.py"), manifest, ATTRIBUTE, *both]
    sed = ["sed", "s/lab#/lab3/g", manifest, ">", "sed.manifest"]
    sure = ["filter", manifest, "--min-confidence", "0.5", "-o", "sure.manifest"]
    lab3 = ["rewrite", "--lab", "lab3", manifest, "-o", "lab3.manifest"]
    return [
        Case("cp", ["cp", manifest, "copy.manifest"], makes=("copy.manifest",)),
        Case(WORKSHOP, workshop, makes=both),
        Case("pandas + scikit-learn split", pandas, makes=both),
        Case(SED, sed, shell=True, makes=("sed.manifest",)),
        Case("mtool split", mtool("split", manifest, "-o", "parts"), WORKSHOP, makes=parts),
        Case("mtool filter --min-confidence", mtool(*sure), WORKSHOP, makes=("sure.manifest",)),
        Case("mtool validate", mtool("validate", "ready.manifest"), WORKSHOP),
        Case("mtool stats", mtool("stats", manifest), WORKSHOP),
        Case("mtool rewrite --lab", mtool(*lab3), SED, makes=("lab3.manifest",)),
    ]


def start_up(folder: Path) -> list[Case]:
    """Return what a person waits for on a small manifest."""
    small = folder / "small.manifest"
    make_manifest(small, 69)
    return [
        Case("python -c 'import typer'", [sys.executable, "-c", "import typer"]),
        Case("mtool --version", mtool("--version"), "python -c 'import typer'"),
        Case(
            "mtool split, 69 lines",
            mtool("split", str(small), "-o", "few"),
            "python -c 'import typer'",
        ),
    ]


def report(rows: list[Case], folder: Path, runs: int) -> dict[str, Figures]:
    """Time the cases and print a row each, with the ratio to the peer."""
    found: dict[str, Figures] = {}
    print("\n| command | wall | processor | largest process | all processes | beside |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for case in rows:
        figures = found[case.name] = measure(case.command, runs, folder, case.shell, case.makes)
        beside = ""
        if case.against in found:
            beside = f"{found[case.against].wall / figures.wall:.2f} times as fast as {case.against}"
        print(
            f"| {case.name} | {figures.wall:.3f} s | {figures.processor:.2f} s | "
            f"{megabytes(figures.largest)} | {megabytes(figures.together)} | {beside} |",
            flush=True,
        )
    return found


def main() -> None:
    """Make the manifests and print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--ten", action="store_true", help="ten times the lines as well, without the peers")
    options.add_argument("--no-peers", action="store_true")
    chosen = options.parse_args()
    folder = DATA / "manifests"
    folder.mkdir(parents=True, exist_ok=True)
    print(machine())
    report(start_up(folder), folder, max(chosen.runs, 11))
    for lines in (chosen.lines, *([10 * chosen.lines] if chosen.ten else [])):
        manifest = folder / f"{lines}.manifest"
        if not manifest.exists():
            make_manifest(manifest, lines)
        ready = folder / "ready.manifest"
        ready.unlink(missing_ok=True)
        ready.write_bytes(manifest.read_bytes().replace(b"lab#", b"lab3"))
        print(f"\n{lines:,} lines, {megabytes(manifest.stat().st_size)}")
        ours = chosen.no_peers or lines > chosen.lines
        rows = [case for case in cases(str(manifest)) if case.against or case.name in ("cp", SED) or not ours]
        report(rows, folder, chosen.runs)


if __name__ == "__main__":
    main()
