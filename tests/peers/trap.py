"""The data set that others are asked about: small, and with all that converters trip over.

Class indices begin at 0, have gaps and are in no order of names; names have blanks. Two pictures have one
name in two folders, one is turned by its EXIF flag, one is a PNG with blanks and signs in its name, and one
shows nothing. The validation part lacks classes that the training part has.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from manifest_tools.groundtruth.annotations import TYPE_OF_KIND

Kind = Literal["single_label", "multi_label", "boxes", "segmentation"]
Part = Literal["train", "validation"]

PARTS: tuple[Part, ...] = ("train", "validation")
CLASSES = {0: "no hat", 3: "ant", 7: "hard hat"}

Boxed = tuple[str, int, int, int, int]
"""Class, left, top, width and height."""


@dataclass(frozen=True)
class Trap:
    """A picture, and what is on it."""

    part: Part
    key: str
    size: tuple[int, int]
    """Width and height as the picture is to be looked at."""

    colour: tuple[int, int, int]
    one: str
    some: tuple[str, ...]
    boxes: tuple[Boxed, ...]
    turned: bool = False
    """Whether the pixels lie on their side, and the EXIF flag says so."""

    def content(self) -> bytes:
        """Return the bytes of the file, in one colour."""
        out = io.BytesIO()
        if not self.turned:
            Image.new("RGB", self.size, self.colour).save(out, "PNG" if self.key.endswith("png") else "JPEG")
            return out.getvalue()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", self.size[::-1], self.colour).save(out, "JPEG", exif=exif)
        return out.getvalue()

    def digest(self) -> str:
        """Return what the bytes are known by."""
        return hashlib.sha256(self.content()).hexdigest()


TRAPS = (
    Trap(
        "train",
        "front/0001.jpg",
        (64, 48),
        (200, 30, 30),
        "no hat",
        ("hard hat", "no hat"),
        (("no hat", 4, 6, 20, 30), ("ant", 40, 8, 16, 12), ("no hat", 4, 6, 10, 10)),
    ),
    Trap("train", "back/0001.jpg", (60, 40), (30, 200, 30), "ant", ("ant",), (("ant", 0, 0, 60, 40),)),
    Trap(
        "train",
        "turned.jpg",
        (40, 60),
        (30, 30, 200),
        "hard hat",
        ("hard hat",),
        (("hard hat", 5, 33, 30, 20),),
        turned=True,
    ),
    Trap("train", "nothing.jpg", (50, 50), (120, 120, 120), "no hat", (), ()),
    Trap(
        "validation",
        "train station #1 50%.png",
        (70, 35),
        (220, 220, 40),
        "hard hat",
        ("ant", "hard hat"),
        (("hard hat", 10, 5, 30, 25),),
    ),
    Trap(
        "validation",
        "café.jpg",
        (48, 64),
        (40, 220, 220),
        "no hat",
        ("no hat",),
        (("hard hat", 1, 2, 3, 4), ("no hat", 20, 20, 28, 44)),
    ),
)


Row = list[Any]
"""Part, the picture's digest, and its label: names of classes, or boxes, sorted."""


def label_of(trap: Trap, kind: Kind) -> list[Any]:
    """Return what a reader is to find on a picture."""
    labels: dict[Kind, list[Any]] = {
        "single_label": [trap.one],
        "multi_label": sorted(trap.some),
        "boxes": sorted(list(box) for box in trap.boxes),
    }
    return labels[kind]


def expected(kind: Kind, upright: Path | None = None) -> list[Row]:
    """Return what a reader is to find; ``upright`` is the turned picture where its pixels were turned."""
    turned = None if upright is None else hashlib.sha256(upright.read_bytes()).hexdigest()
    return sorted(
        [trap.part, turned if turned and trap.turned else trap.digest(), label_of(trap, kind)]
        for trap in TRAPS
    )


def expected_in(part: Part, kind: Kind) -> list[Row]:
    """Return what a reader is to find in one part."""
    return [row for row in expected(kind) if row[0] == part]


def in_one_folder(kind: Kind) -> list[Row]:
    """Return what whoever refuses two pictures of one name is to find, all in one part."""
    return sorted(
        ["train", trap.digest(), label_of(trap, kind)] for trap in TRAPS if not trap.key.startswith("back/")
    )


def in_manifest(manifest: Path, part: str, pictures: Path | None = None) -> list[Row]:
    """Return what a manifest says in the same form; pictures are named from its folder, or ``pictures``."""
    rows = []
    for line in map(json.loads, manifest.read_text().splitlines()):
        (attribute,) = (key.removesuffix("-metadata") for key in line if key.endswith("-metadata"))
        content = ((pictures or manifest.parent) / line["source-ref"].removeprefix("s3://raw/")).read_bytes()
        label = _names(line[attribute], line[f"{attribute}-metadata"])
        rows.append([part, hashlib.sha256(content).hexdigest(), label])
    return sorted(rows)


def close(rows: list[Row]) -> list[Row]:
    """Return rows whose boxes are rounded to a thousandth of a pixel: label files have so many digits."""
    return sorted([*row[:-1], sorted(map(_rounded, row[-1]))] for row in rows)


def _rounded(box: list[Any]) -> list[Any]:
    name, *edges = box
    return [name, *(round(edge, 3) for edge in edges)]


def _names(label: Any, metadata: dict[str, Any]) -> list[Any]:
    if isinstance(label, int):
        return [metadata["class-name"]]
    names = metadata["class-map"]
    if isinstance(label, list):
        return sorted(names[str(index)] for index in label)
    places = ("left", "top", "width", "height")
    return sorted([names[str(b["class_id"])], *(b[place] for place in places)] for b in label["annotations"])


def write_trap(folder: Path, kind: Kind) -> list[str]:
    """Write ``raw/`` with the pictures, and a manifest for each part; return the names of those.

    ``trap.json`` says the same to the writers of others.
    """
    for trap in TRAPS:
        place = folder / "raw" / trap.key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(trap.content())
    names = []
    for part in PARTS:
        lines = [_line(trap, kind) for trap in TRAPS if trap.part == part]
        (folder / f"{part}.manifest").write_text("".join(json.dumps(line) + "\n" for line in lines))
        names.append(str(folder / f"{part}.manifest"))
    (folder / "trap.json").write_text(json.dumps({"classes": list(CLASSES.values()), "pictures": _plain()}))
    return names


def _plain() -> list[dict[str, Any]]:
    """Return the pictures for a writer that knows no manifests."""
    return [
        {"part": trap.part, "key": trap.key, "size": trap.size}
        | {"one": trap.one, "some": trap.some, "boxes": trap.boxes}
        for trap in TRAPS
    ]


_INDEX = {name: index for index, name in CLASSES.items()}
_STAMP = {"human-annotated": "yes", "creation-date": "2026-03-01T10:00:00.000001", "job-name": "job/hats"}


def _line(trap: Trap, kind: Kind) -> dict[str, Any]:
    label, metadata = _LABELS[kind](trap)
    metadata |= {"type": TYPE_OF_KIND[kind]} | _STAMP
    return {"source-ref": f"s3://raw/{trap.key}", "hats": label, "hats-metadata": metadata}


def _single(trap: Trap) -> tuple[Any, dict[str, Any]]:
    return _INDEX[trap.one], {"class-name": trap.one, "confidence": 0.9}


def _multi(trap: Trap) -> tuple[Any, dict[str, Any]]:
    indices = [_INDEX[name] for name in trap.some]
    return indices, {
        "class-map": {str(index): CLASSES[index] for index in indices},
        "confidence-map": {str(index): 0.8 for index in indices},
    }


def _boxes(trap: Trap) -> tuple[Any, dict[str, Any]]:
    width, height = trap.size
    places = ("left", "top", "width", "height")
    annotations = [
        {"class_id": _INDEX[name], **dict(zip(places, box, strict=True))} for name, *box in trap.boxes
    ]
    label = {"image_size": [{"width": width, "height": height, "depth": 3}], "annotations": annotations}
    return label, {
        "objects": [{"confidence": 0.7} for _ in annotations],
        "class-map": {str(index): CLASSES[index] for index in {one["class_id"] for one in annotations}},
    }


_LABELS = {"single_label": _single, "multi_label": _multi, "boxes": _boxes}
