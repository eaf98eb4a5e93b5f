"""What of a manifest is still there after a format and back, found out by doing it: docs/what-survives.md."""

import contextlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from manifest_tools.formats.table import FORMATS, LABELS_OF, READ, WRITTEN
from manifest_tools.groundtruth.annotations import PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from manifest_tools.verbs.convert.result import Converted
from tests.rich_manifest import NAMES, manifest_of

TABLE = ClassTable((*sorted(NAMES.items()), (7, "seen on no picture")))
Line = dict[str, Any]


def _metadata(line: Line) -> Line:
    return next((value for key, value in line.items() if key.endswith("-metadata")), {})


def _label(line: Line) -> Any:
    return next((line[key.removesuffix("-metadata")] for key in line if key.endswith("-metadata")), None)


def _confidences(line: Line) -> Any:
    found = _metadata(line)
    one = found.get("confidence"), found.get("confidence-map")
    return (
        *one,
        found.get("objects"),
        [colour.get("confidence") for colour in found.get("internal-color-map", {}).values()],
    )


def _provenance(line: Line) -> Any:
    return [_metadata(line).get(key) for key in ("job-name", "human-annotated", "creation-date")]


def _classes(line: Line) -> Any:
    label, found = _label(line), _metadata(line)
    boxes = [box["class_id"] for box in label["annotations"]] if isinstance(label, dict) else None
    of_mask = sorted(found.get("internal-color-map", {}).items(), key=lambda item: int(item[0]))
    names = [(index, colour["class-name"]) for index, colour in of_mask]
    return boxes, names, None if isinstance(label, dict | str) else label, found.get("class-name")


def _edges(line: Line) -> Any:
    label = _label(line)
    return [sorted(box.items()) for box in label["annotations"]] if isinstance(label, dict) else None


def _size(line: Line) -> Any:
    label = _label(line)
    return label.get("image_size") if isinstance(label, dict) else None


# What is looked for, and how it is taken from a line.
QUESTIONS: dict[str, Callable[[Line], Any]] = {
    "classes": _classes,
    "boxes": _edges,
    "size of the picture": _size,
    "confidences": _confidences,
    "job, person, date": _provenance,
    "URI of the picture": lambda line: line["source-ref"],
    "other keys": lambda line: line.get("worker"),
}
OF_BOXES = ("boxes", "size of the picture")


def survivors(name: str, kind: PictureLabelKind) -> set[str]:
    """Return what a format gives back of a manifest without a side-car, and ``all`` with one."""
    with _folder() as folder:
        manifest = manifest_of(folder, kind)
        options: dict[str, Any] = {"images": ["raw"], "label_attribute": "kind", "classes": TABLE}
        if name == "npy":
            options |= {"resize": 20, "square": True}
        done = convert(manifest, name, "out/ds", allow_loss=True, **options)
        back = convert_from(main_output(done, name), name, "back.manifest", allow_loss=True)
        before, after = (_lines(Path(path)) for path in (manifest, "back.manifest"))
        found = {word for word, question in QUESTIONS.items() if _same(question, before, after)}
        if back.table == TABLE:
            found.add("class table")
        if [_classes(line) for line in before] == [_classes(line) for line in after]:
            found.add("order of the lines")
        convert(manifest, name, "kept/ds", side_car=True, **options)
        place = main_output(done, name).replace("out/", "kept/", 1)
        convert_from(place, name, "whole.manifest")
        if Path("whole.manifest").read_bytes() == Path(manifest).read_bytes():
            found.add("with a side-car, every byte")
        return found


def _same(question: Callable[[Line], Any], before: list[Line], after: list[Line]) -> bool:
    one, other = (
        Counter(json.dumps(question(line), sort_keys=True) for line in lines) for lines in (before, after)
    )
    return one == other


def _lines(path: Path) -> list[Line]:
    """Return the lines that have a label."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [line for line in lines if _label_of_kind(line)]


def _label_of_kind(line: Line) -> bool:
    return "kind" in line if "kind-metadata" in line else any(key.endswith("-metadata") for key in line)


def main_output(done: Converted, name: str) -> str:
    """Return the path of what ``--from`` is given."""
    row = FORMATS[name]
    endings = row.endings if row.output == "files" else ("ds",)
    return next(output.path for output in done.outputs if output.path.endswith(endings[0]))


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def page() -> str:
    """Return docs/what-survives.md."""
    columns = ["classes", "class table", *list(QUESTIONS)[1:], "order of the lines"]
    columns.append("with a side-car, every byte")
    lines = [
        "# What survives",
        "",
        "What comes back when a manifest goes to a format with `--allow-loss`, and from there to a manifest",
        "again; in the last column with `--side-car`. Written by `make docs`, which does it each time.",
        "",
        f"| format | labels | {' | '.join(columns)} |",
        f"| --- | --- |{' --- |' * len(columns)}",
    ]
    for name, kind in held():
        found = survivors(name, kind)
        cells = [
            "" if word in OF_BOXES and kind != "boxes" else "yes" if word in found else "no"
            for word in columns
        ]
        lines.append(f"| `{name}` | {LABELS_OF[kind]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def held() -> list[tuple[str, PictureLabelKind]]:
    """Return every format that is written and read, with each kind of labels that it holds."""
    return [
        (name, kind)
        for name, row in FORMATS.items()
        if name in WRITTEN and name in READ
        for kind in LABELS_OF
        if kind in row.labels
    ]
