"""Ask Hugging Face's datasets what a data set holds, or to write one; runs in the environment of the peers.

python ask_datasets.py folder PLACE             prints [[split, digest, label], ...]
python ask_datasets.py webdataset TAR           prints [[digest, .cls], ...]
"""

# mypy: disable-error-code=import-not-found

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def folder(place: str) -> list[Any]:
    """Return the pictures and classes of an imagefolder."""
    return _rows("imagefolder", data_dir=place)


def webdataset(tar: str) -> list[Any]:
    """Return the JPEGs of a tar, and the class index that each has."""
    import datasets

    found = datasets.load_dataset("webdataset", data_files={"train": tar})["train"]
    rows = found.cast_column("jpg", datasets.Image(decode=False))
    return [[hashlib.sha256(row["jpg"]["bytes"]).hexdigest(), row["cls"]] for row in rows]


def _rows(builder: str, **words: Any) -> list[Any]:
    import datasets  # here, for pytest looks into this file without having it

    datasets.disable_progress_bars()
    found = datasets.load_dataset(builder, **words)
    rows = []
    for split, dataset in found.items():
        names = dataset.features["label"].names
        for row in dataset.cast_column("image", datasets.Image(decode=False)):
            content = row["image"]["bytes"] or Path(row["image"]["path"]).read_bytes()
            rows.append([split, hashlib.sha256(content).hexdigest(), [names[row["label"]]]])
    return sorted(rows)


if __name__ == "__main__":
    words: dict[str, Callable[..., Any]] = {"folder": folder, "webdataset": webdataset}
    print(json.dumps(words[sys.argv[1]](*sys.argv[2:])))
