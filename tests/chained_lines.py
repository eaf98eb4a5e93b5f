"""Lines made of label attributes, each a label with its metadata, as chained jobs write them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.ground_truth import SINGLE, lines_of

BOXES = "groundtruth/object-detection"


def encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def attribute(name: str, label: Any, kind: str = BOXES, **metadata: Any) -> dict[str, Any]:
    """Return a label attribute with its metadata; `_` of a field stands for `-`."""
    fields = {key.replace("_", "-"): value for key, value in metadata.items()}
    return {name: label, f"{name}-metadata": {"type": kind, **fields}}


def boxes(name: str, *found: tuple[int, int], names: Sequence[str] = ("dog", "cat"), **metadata: Any) -> Any:
    """Return boxes of (class, left) under a name."""
    label = {
        "image_size": [{"width": 640, "height": 480, "depth": 3}],
        "annotations": [
            {"class_id": index, "left": left, "top": 1, "width": 9, "height": 9} for index, left in found
        ],
    }
    class_map = {str(index): names[index] for index, _ in found}
    return attribute(name, label, class_map=class_map, objects=[{"confidence": 0.5}] * len(found), **metadata)


def row(picture: int, *pairs: dict[str, Any]) -> bytes:
    value: dict[str, Any] = {"source-ref": f"s3://raw/{picture}.jpg"}
    for one in pairs:
        value |= one
    return encoded(value)


def kind(index: int, name: str = "kind") -> dict[str, Any]:
    return attribute(name, index, SINGLE, class_name=("RH", "LH")[index], confidence=0.5)


def values(path: Path | str) -> list[dict[str, Any]]:
    return [json.loads(found) for found in lines_of(path)]


ADJUSTED = {"adjustment_status": "adjusted"}
UNADJUSTED = {"adjustment_status": "unadjusted"}


def entities(*labels: str, order: Sequence[str] = ("Person", "Place")) -> bytes:
    found = [{"label": name, "startOffset": at, "endOffset": at + 1} for at, name in enumerate(labels)]
    label = {"annotations": {"labels": [{"label": name} for name in order], "entities": found}}
    return encoded({"source": "Ada", **attribute("e", label, "groundtruth/text-span")})
