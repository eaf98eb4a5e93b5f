"""Ask Hugging Face's datasets what a data set holds, or to write one; runs in the environment of the peers.

python ask_datasets.py folder PLACE            an imagefolder; prints [[split, digest, label], ...]
python ask_datasets.py parquet PLACE           a folder of Parquet files; prints the same
python ask_datasets.py webdataset TAR          prints [[digest, .cls], ...]
python ask_datasets.py write LABEL TRAP OUT    writes OUT/PART.parquet; LABEL is one, some or boxes
"""

# mypy: disable-error-code=import-not-found

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def folder(place: str) -> list[Any]:
    """Return the pictures and classes of an imagefolder: by its metadata.jsonl, else by its folders."""
    return _rows("imagefolder", data_dir=place)


def parquet(place: str) -> list[Any]:
    """Return the pictures and labels of the Parquet files of a folder, as if it came from the hub."""
    return _rows(place)


def webdataset(tar: str) -> list[Any]:
    """Return the JPEGs of a tar, and the class index that each has."""
    import datasets

    found = datasets.load_dataset("webdataset", data_files={"train": tar})["train"]
    rows = found.cast_column("jpg", datasets.Image(decode=False))
    return [[hashlib.sha256(row["jpg"]["bytes"]).hexdigest(), row["cls"]] for row in rows]


def _rows(builder: str, **words: Any) -> list[Any]:
    import datasets  # here, for pytest looks into this file without having it

    found = datasets.load_dataset(builder, **words)
    rows = []
    for split, dataset in found.items():
        for row in dataset.cast_column("image", datasets.Image(decode=False)):
            content = row["image"]["bytes"] or Path(row["image"]["path"]).read_bytes()
            label = sorted(_label(row, dataset.features))
            rows.append([split, hashlib.sha256(content).hexdigest(), label])
    return sorted(rows)


def _label(row: dict[str, Any], features: Any) -> list[Any]:
    """Return the names of classes, or boxes, by the types that datasets gives the columns."""
    if "objects" in row:
        names = features["objects"]["category"].feature.names
        pairs = zip(row["objects"]["category"], row["objects"]["bbox"], strict=True)
        return [[names[index], *box] for index, box in pairs]
    if "labels" in row:
        return [features["labels"].feature.names[index] for index in row["labels"]]
    label = row["label"]
    return [label if isinstance(label, str) else features["label"].names[label]]


def write(which: str, trap: str, out: str) -> bool:
    """Write the pictures of ``trap.json`` with their labels, a Parquet file a part."""
    import datasets
    from datasets import ClassLabel, Features, List, Value

    told = json.loads(Path(trap).read_text())
    classes = ClassLabel(names=told["classes"])
    box = {"bbox": List(List(Value("float32"), length=4)), "category": List(classes)}
    column, feature = {
        "one": ("label", classes),
        "some": ("labels", List(classes)),
        "boxes": ("objects", box),
    }[which]
    for part in ("train", "validation"):
        pictures = [picture for picture in told["pictures"] if picture["part"] == part]
        columns = {
            "image": [_image(Path(trap).parent / "raw" / picture["key"]) for picture in pictures],
            column: [_value(picture, which) for picture in pictures],
        }
        found = datasets.Dataset.from_dict(
            columns, features=Features({"image": datasets.Image(), column: feature})
        )
        found.to_parquet(f"{out}/{part}.parquet")
    return True


def _image(path: Path) -> dict[str, Any]:
    """Return a picture as the hub has it; of a path alone nothing but the path would be written."""
    return {"path": path.name, "bytes": path.read_bytes()}


def _value(picture: dict[str, Any], which: str) -> Any:
    if which != "boxes":
        return picture[which]
    boxes = picture["boxes"]
    return {"bbox": [box for _, *box in boxes], "category": [name for name, *_ in boxes]}


if __name__ == "__main__":
    words: dict[str, Callable[..., Any]] = {
        "folder": folder,
        "parquet": parquet,
        "webdataset": webdataset,
        "write": write,
    }
    print(json.dumps(words[sys.argv[1]](*sys.argv[2:])))
