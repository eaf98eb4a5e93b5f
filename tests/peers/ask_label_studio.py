"""Ask Label Studio's converter what tasks hold, or to write a data set; runs in the environment of the peers.

python ask_label_studio.py read CONFIG TASKS             prints [[image, label], ...]
python ask_label_studio.py coco|voc CONFIG TASKS OUT     makes OUT of the tasks, prints true
python ask_label_studio.py tasks COCO OUT                makes tasks of a COCO file, prints true
"""

# mypy: disable-error-code=import-not-found

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def read(config: str, tasks: str) -> list[Any]:
    """Return the pictures with their boxes in pixels, or their choices."""
    with tempfile.TemporaryDirectory() as folder:
        _converter(config).convert_to_json_min(tasks, folder, is_dir=False)
        found = json.loads(Path(folder, "result.json").read_text())
    return [[row["image"], sorted(_label(row.get("hats", [])))] for row in found]


def _label(said: Any) -> list[Any]:
    if isinstance(said, str):
        return [said]
    if isinstance(said, dict):
        return list(said["choices"])
    return [_box(one) for one in said]


def _box(one: dict[str, Any]) -> list[Any]:
    (name,) = one["rectanglelabels"]
    width, height = one["original_width"], one["original_height"]
    edges = (one["x"] * width, one["y"] * height, one["width"] * width, one["height"] * height)
    return [name, *(edge / 100 for edge in edges)]


def coco(config: str, tasks: str, out: str) -> bool:
    """Write OUT/result.json."""
    _converter(config).convert_to_coco(tasks, out, is_dir=False)
    return True


def voc(config: str, tasks: str, out: str) -> bool:
    """Write OUT/Annotations."""
    _converter(config).convert_to_voc(tasks, out, is_dir=False)
    return True


def tasks(place: str, out: str) -> bool:
    """Write a file of tasks."""
    from label_studio_sdk.converter.imports.coco import convert_coco_to_ls

    convert_coco_to_ls(place, out, from_name="hats", image_root_url="s3://raw")
    return True


def _converter(config: str) -> Any:
    from label_studio_sdk.converter import Converter  # here, for pytest looks in without having it

    return Converter(config=config, project_dir=None, download_resources=False)


if __name__ == "__main__":
    words: dict[str, Callable[..., Any]] = {"read": read, "coco": coco, "voc": voc, "tasks": tasks}
    print(json.dumps(words[sys.argv[1]](*sys.argv[2:])))
