"""Ask Datumaro what a data set holds, or to write one; runs in the environment of the peers.

python ask_datumaro.py read FORMAT PLACE              prints [[subset, digest, label], ...]
python ask_datumaro.py write FORMAT LABEL TRAP OUT    LABEL is boxes, one or some; prints true
"""

# mypy: disable-error-code=import-not-found

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def read(form: str, place: str) -> list[Any]:
    """Return the pictures and labels that Datumaro finds."""
    import datumaro as dm  # here, for pytest looks into this file without having it

    options = {"coordinate_mode": "voc-one-based"} if form == "voc" else {}
    dataset = dm.Dataset.import_from(place, form, **options)
    names = [label.name for label in dataset.categories()[dm.AnnotationType.label]]
    rows = []
    for item in dataset:
        boxes = [
            [names[one.label], *one.get_bbox()]
            for one in item.annotations
            if one.type.name in ("bbox", "polygon")
        ]
        labels = [names[one.label] for one in item.annotations if one.type.name == "label"]
        content = Path(item.media.path).read_bytes()
        rows.append([item.subset, hashlib.sha256(content).hexdigest(), sorted(boxes) or sorted(labels)])
    return sorted(rows)


def write(form: str, which: str, trap: str, out: str) -> bool:
    """Write the pictures of ``trap.json`` with their labels."""
    import datumaro as dm

    told = json.loads(Path(trap).read_text())
    names = told["classes"]
    items = []
    for picture in told["pictures"]:
        if which == "boxes":
            found: list[Any] = [dm.Bbox(*box, label=names.index(name)) for name, *box in picture["boxes"]]
        else:
            labels = [picture["one"]] if which == "one" else picture["some"]
            found = [dm.Label(names.index(name)) for name in labels]
        path = Path(trap).parent / "raw" / picture["key"]
        items.append(
            dm.DatasetItem(
                id=str(Path(picture["key"]).with_suffix("")),
                subset="val" if picture["part"] == "validation" else picture["part"],
                media=dm.Image.from_file(path=str(path)),
                annotations=found,
            )
        )
    dm.Dataset.from_iterable(items, categories=names).export(out, form, save_media=True)
    return True


if __name__ == "__main__":
    words: dict[str, Callable[..., Any]] = {"read": read, "write": write}
    print(json.dumps(words[sys.argv[1]](*sys.argv[2:])))
