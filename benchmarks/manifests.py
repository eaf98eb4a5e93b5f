"""``python -m benchmarks.manifests``: the manifest verbs on a million lines, beside what people use today.

Makes its manifest in ``benchmarks/data`` on the first run. Every row is a whole process, start-up and all;
``--lines`` and ``--runs`` make it smaller, ``--ten`` adds ten times the lines, ``--only validate`` leaves out
the other verbs. The environment variable PANLABEL names panlabel's program, for the part with bounding boxes.
"""

import argparse
import json
import os
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
PANLABEL = "panlabel validate"
_DEFECTS = ("scratch", "dent", "burr", "crack", "stain")


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


def make_boxes(path: Path, lines: int) -> None:
    """Write a manifest of bounding boxes, none to four a line, about 540 bytes a line."""
    chance = random.Random(0)
    class_map = json.dumps({str(at): name for at, name in enumerate(_DEFECTS)}, separators=(",", ":"))
    with path.open("w") as file:
        for number in range(lines):
            boxes = [_box(chance) for _ in range(chance.randrange(5))]
            objects = [f'{{"confidence":{chance.random():.2f}}}' for _ in boxes]
            file.write(
                f'{{"source-ref":"s3://lab3-rawdata/IMG_{number:07d}.JPG",'
                f'"defects":{{"image_size":[{{"width":1024,"height":768,"depth":3}}],'
                f'"annotations":[{",".join(boxes)}]}},'
                f'"defects-metadata":{{"objects":[{",".join(objects)}],"class-map":{class_map},'
                f'"type":"groundtruth/object-detection","human-annotated":"yes",'
                f'"creation-date":"2022-03-01T09:46:{number % 60:02d}.{number % 10**6:06d}",'
                f'"job-name":"labeling-job/defects"}}}}\n'
            )


def _box(chance: random.Random) -> str:
    width, height = chance.randrange(10, 400), chance.randrange(10, 300)
    left, top = chance.randrange(1024 - width), chance.randrange(768 - height)
    sides = f'"top":{top},"left":{left},"height":{height},"width":{width}'
    return f'{{"class_id":{chance.randrange(len(_DEFECTS))},{sides}}}'


def box_cases(manifest: str) -> list[Case]:
    """Return what is timed on bounding boxes: panlabel, where PANLABEL names its program, and ours."""
    ours = Case("mtool validate, boxes", mtool("validate", manifest), PANLABEL)
    if not (panlabel := os.environ.get("PANLABEL")):
        print(f"\n{PANLABEL}: skipped, for the environment variable PANLABEL does not name its program")
        return [ours]
    return [Case(PANLABEL, [panlabel, "validate", "--format", "sagemaker", manifest]), ours]


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
            peer = found[case.against]
            beside = f"{peer.wall / figures.wall:.2f} times as fast as {case.against}"
            beside += f", in {figures.together / peer.together:.1%} of its memory"
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
    options.add_argument("--only", metavar="VERB", default="", help="only the rows of this verb of mtool")
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
        report(
            [case for case in rows if f"mtool {chosen.only}" in case.name or not chosen.only],
            folder,
            chosen.runs,
        )
    if chosen.only in ("", "validate"):
        report_boxes(folder, chosen.lines, chosen.runs)


def report_boxes(folder: Path, lines: int, runs: int) -> None:
    """Make the manifest of bounding boxes and print its table."""
    boxes = folder / f"{lines}-boxes.manifest"
    if not boxes.exists():
        make_boxes(boxes, lines)
    print(f"\n{lines:,} lines with bounding boxes, {megabytes(boxes.stat().st_size)}")
    report(box_cases(str(boxes)), folder, runs)


if __name__ == "__main__":
    main()
