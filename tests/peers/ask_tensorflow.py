"""Ask TensorFlow what TFRecord files hold; runs in the environment of the peers.

python ask_tensorflow.py classes|boxes FILE...    prints [[digest, label], ...]
"""

# mypy: disable-error-code="import-not-found, import-untyped"

import hashlib
import json
import sys
from typing import Any


def read(what: str, *files: str) -> list[Any]:
    """Return the pictures, parsed as the Object Detection API parses them, with their boxes or classes."""
    import tensorflow as tf  # here, for pytest looks into this file without having it

    edges = ("xmin", "ymin", "xmax", "ymax")
    spec = {
        "image/encoded": tf.io.FixedLenFeature((), tf.string),
        "image/height": tf.io.FixedLenFeature((), tf.int64),
        "image/width": tf.io.FixedLenFeature((), tf.int64),
        "image/class/label": tf.io.VarLenFeature(tf.int64),
        "image/class/text": tf.io.VarLenFeature(tf.string),
        "image/object/class/label": tf.io.VarLenFeature(tf.int64),
        "image/object/class/text": tf.io.VarLenFeature(tf.string),
        **{f"image/object/bbox/{edge}": tf.io.VarLenFeature(tf.float32) for edge in edges},
    }
    rows = []
    for record in tf.data.TFRecordDataset(list(files)):
        found = tf.io.parse_single_example(record, spec)
        content = found["image/encoded"].numpy()
        assert tf.io.decode_image(content).shape[2] == 3
        kind = "object/class" if what == "boxes" else "class"
        names = [name.decode() for name in found[f"image/{kind}/text"].values.numpy()]
        sides = (int(found["image/width"]), int(found["image/height"])) * 2
        boxes = zip(
            *(found[f"image/object/bbox/{edge}"].values.numpy().tolist() for edge in edges), strict=True
        )
        places = [[round(edge * side) for edge, side in zip(box, sides, strict=True)] for box in boxes]
        labels: list[Any] = [
            [name, box[0], box[1], box[2] - box[0], box[3] - box[1]]
            for name, box in zip(names, places, strict=what == "boxes")
        ]
        rows.append([hashlib.sha256(content).hexdigest(), sorted(labels if what == "boxes" else names)])
    return rows


if __name__ == "__main__":
    print(json.dumps(read(*sys.argv[1:])))
