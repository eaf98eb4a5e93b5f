"""``python -m benchmarks.datasets``: data sets out of manifests and back, beside the converters of the field.

Makes its manifest of boxes in ``benchmarks/data`` on the first run. Every row is a whole process, start-up
and all. ``--lines`` and ``--runs`` make it smaller; ``--only`` leaves out the rows without a word. The
peers live in an environment of their own, whose interpreter MTOOL_PEERS_PYTHON names; one that is missing is
skipped by name.
"""

import argparse
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.manifests import DATA, PEERS, Case, make_boxes, report
from benchmarks.processes import machine, megabytes, mtool

REPOSITORY = Path(__file__).parents[1]
PANLABEL, DATUMARO = "panlabel", "datumaro"
# What a peer is asked for to see whether it is there.
_PROBES = {PANLABEL: ("{bin}/panlabel", "--version"), DATUMARO: ("{bin}/python", "-c", "import datumaro")}


def peers() -> dict[str, str]:
    """Return by its name the folder of programs of each peer that is there; print which are not."""
    default = REPOSITORY / ".venv-peers-datasets" / "bin" / "python"
    folder = str(Path(os.environ.get("MTOOL_PEERS_PYTHON", default)).parent)
    found = {}
    for name, probe in _PROBES.items():
        if _runs([word.format(bin=folder) for word in probe]):
            found[name] = folder
        else:
            print(f"{name}: skipped, for it is not in {folder}; MTOOL_PEERS_PYTHON names another interpreter")
    return found


def _runs(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def coco(manifest: str, there: dict[str, str]) -> list[Case]:
    """Return COCO out of a manifest of boxes, and back."""
    rows = [Case("cp", ["cp", manifest, "copy.manifest"], makes=("copy.manifest",))]
    out, back = f"{PANLABEL}, manifest to COCO", f"{PANLABEL}, COCO to manifest"
    if PANLABEL in there:
        program = [f"{there[PANLABEL]}/panlabel", "convert", "--allow-lossy"]
        to_coco = ["--from", "sagemaker", "--to", "coco", "-i", manifest, "-o", "panlabel.json"]
        to_manifest = [
            "--from",
            "coco",
            "--to",
            "sagemaker",
            "-i",
            "panlabel.json",
            "-o",
            "panlabel.manifest",
        ]
        rows.append(Case(out, [*program, *to_coco], makes=("panlabel.json",)))
        rows.append(Case(back, [*program, *to_manifest], makes=("panlabel.manifest",)))
    ours = mtool("convert", manifest, "--to", "coco", "-o", "ours")
    rows.append(Case("mtool, manifest to COCO", ours, out, makes=("ours.coco.json",)))
    again = mtool("convert", "--from", "coco", "ours.coco.json", "-o", "ours.manifest")
    rows.append(Case("mtool, COCO to manifest", again, back, makes=("ours.manifest",)))
    if DATUMARO in there:  # it knows no manifest: it reads our COCO and writes its own
        name = f"{DATUMARO}, COCO to COCO"
        script = [f"{there[DATUMARO]}/python", str(PEERS / "datumaro_coco.py"), "ours.coco.json", "datumaro"]
        rows.append(Case(name, script))
        rows.append(Case("mtool, COCO to manifest, again", again, name, makes=("ours.manifest",)))
    return rows


TABLES = (("COCO", coco),)
"""What is compared, each with what makes its rows of the manifest of boxes and the peers."""


def main() -> None:
    """Make the manifest and print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--no-peers", action="store_true")
    options.add_argument(
        "--only", metavar="WORD", default="", help="only the rows with this word in their name"
    )
    chosen = options.parse_args()
    folder = DATA / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    print(machine())
    there = {} if chosen.no_peers else peers()
    manifest = folder / f"{chosen.lines}-boxes.manifest"
    if not manifest.exists():
        make_boxes(manifest, chosen.lines)
    for name, rows_of in TABLES:
        print(f"\n{name}: {chosen.lines:,} lines of boxes, {megabytes(manifest.stat().st_size)}")
        rows = [row for row in rows_of(str(manifest), there) if chosen.only in row.name]
        report(rows, folder, chosen.runs)


if __name__ == "__main__":
    main()
