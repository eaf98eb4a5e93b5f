"""Ask TensorFlow what TFRecord files hold; runs in the environment of the peers.

python ask_tensorflow.py FILE...    prints [[digest, features but the picture], ...] for each file
"""

# mypy: disable-error-code=import-untyped

import hashlib
import json
import sys
from typing import Any


def read(place: str) -> list[Any]:
    """Return the pictures, decoded once to see that they are some, and what stands beside them."""
    import tensorflow as tf  # here, for pytest looks into this file without having it

    whole = {
        "image/encoded": tf.io.FixedLenFeature([], tf.string),
        "image/format": tf.io.FixedLenFeature([], tf.string),
        "image/filename": tf.io.FixedLenFeature([], tf.string),
        "image/height": tf.io.FixedLenFeature([], tf.int64),
        "image/width": tf.io.FixedLenFeature([], tf.int64),
    }
    names = ("image/class/text", "image/object/class/text")
    numbers = ("image/class/label", "image/object/class/label")
    edges = tuple(f"image/object/bbox/{edge}" for edge in ("xmin", "ymin", "xmax", "ymax"))
    several = {name: tf.io.VarLenFeature(tf.string) for name in names}
    several |= {name: tf.io.VarLenFeature(tf.int64) for name in numbers}
    several |= {name: tf.io.VarLenFeature(tf.float32) for name in edges}
    rows = []
    for record in tf.data.TFRecordDataset(place):
        found = tf.io.parse_single_example(record, whole | several)
        picture = found["image/encoded"].numpy()
        pixels = tf.io.decode_image(picture)
        said = {name: found[name].numpy() for name in whole if name != "image/encoded"}
        said |= {name: found[name].values.numpy().tolist() for name in several}
        said["decoded"] = pixels.shape.as_list()
        rows.append([hashlib.sha256(picture).hexdigest(), _plain(said)])
    return rows


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, int | float | str) else int(value)


if __name__ == "__main__":
    print(json.dumps([read(place) for place in sys.argv[1:]]))
