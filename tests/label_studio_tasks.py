"""Tasks of Label Studio, as it exports them."""

import json
from pathlib import Path
from typing import Any

from manifest_tools.formats.label_studio import read
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable

NO_OPTIONS = ReadOptions()


def one(*found: Picture, kind: Any = "boxes", names: tuple[str, ...] = ("RH", "LH")) -> DataSet:
    return DataSet(ClassTable(tuple(enumerate(names))), kind, {"": StreamedPictures(lambda: found)})


def tasks(folder: Path, *found: Any, name: str = "export.json") -> str:
    """Write tasks as Label Studio exports them; return the path."""
    path = folder / name
    path.write_text(json.dumps(found, indent=2))
    return str(path)


def answered(*results: dict[str, Any], image: str = "s3://raw/1.jpg", **more: Any) -> dict[str, Any]:
    """Return a task that a person has answered."""
    return {"id": 7, "data": {"image": image}, "annotations": [{"id": 1, "result": results, **more}]}


def rectangle(name: str | None = "dog", **changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}
    value |= {"rectanglelabels": [name]} if name else {}
    value |= {key: changes.pop(key) for key in list(changes) if key in value}
    return {
        "id": "x1",
        "from_name": "bbox",
        "to_name": "img",
        "type": "rectanglelabels",
        "original_width": 200,
        "original_height": 100,
        "value": value,
    } | changes


def choice(*names: str, from_name: str = "kind") -> dict[str, Any]:
    return {"from_name": from_name, "to_name": "img", "type": "choices", "value": {"choices": names}}


def pictures(place: str, options: ReadOptions = NO_OPTIONS) -> list[Picture]:
    return list(read(place, options).parts[""])
