"""Ask pycocotools what a COCO file holds; runs in the environment of the peers.

python ask_pycocotools.py FILE    prints [[file_name, label], ...]
"""

import contextlib
import json
import sys
from typing import Any


def read(place: str) -> list[Any]:
    """Return the names of pictures, and their boxes or classes, as a training loop gets them."""
    from pycocotools.coco import COCO  # here, for pytest looks into this file without having it

    with contextlib.redirect_stdout(sys.stderr):
        coco = COCO(place)
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    rows = []
    for image in coco.loadImgs(coco.getImgIds()):
        found = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        boxes = [[names[one["category_id"]], *one["bbox"]] for one in found if "bbox" in one]
        labels = [names[one["category_id"]] for one in found if "bbox" not in one]
        rows.append([image["file_name"], sorted(boxes) or sorted(labels)])
    return rows


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1])))
