"""Ask webdataset what a tar holds, or to write some; runs in the environment of the peers.

python ask_webdataset.py read TAR          prints [[digest, sample of .cls and .json], ...]
python ask_webdataset.py write TRAP OUT    writes OUT/train-000000.tar..., prints true
"""

# mypy: disable-error-code=import-not-found

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def read(place: str) -> list[Any]:
    """Return the digest of every picture, and what its sample says beside it."""
    import webdataset as wds  # here, for pytest looks into this file without having it

    rows = []
    for sample in wds.WebDataset(place, shardshuffle=False, empty_check=False):
        (picture,) = (value for ending, value in sample.items() if ending in ("jpg", "png"))
        said: dict[str, Any] = json.loads(sample["json"])
        if "cls" in sample:
            said["cls"] = int(sample["cls"])
        rows.append([hashlib.sha256(picture).hexdigest(), said])
    return rows


def write(trap: str, out: str) -> bool:
    """Write the pictures of ``trap.json`` with their class indices, three in a shard."""
    import webdataset as wds

    told = json.loads(Path(trap).read_text())
    raw = Path(trap).parent / "raw"
    for part in ("train", "validation"):
        with wds.ShardWriter(f"{out}/{part}-%06d.tar", maxcount=3, verbose=0) as writer:
            for picture in told["pictures"]:
                if picture["part"] == part:
                    key, _, ending = picture["key"].rpartition(".")
                    content = (raw / picture["key"]).read_bytes()
                    index = told["classes"].index(picture["one"])
                    writer.write({"__key__": key, ending: content, "cls": index})
    return True


if __name__ == "__main__":
    words: dict[str, Callable[..., Any]] = {"read": read, "write": write}
    print(json.dumps(words[sys.argv[1]](*sys.argv[2:])))
