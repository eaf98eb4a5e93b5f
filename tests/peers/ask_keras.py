"""Ask Keras what a folder a class holds; runs in the environment of the peers.

python ask_keras.py PLACE    prints {"names": [...], "rows": [[path, class], ...]}
"""

# mypy: disable-error-code=import-not-found

import contextlib
import json
import sys
from typing import Any


def read(place: str) -> dict[str, Any]:
    """Return the classes, and the pictures with the class that Keras gives each."""
    import keras  # here, for pytest looks into this file without having it

    with contextlib.redirect_stdout(sys.stderr):
        dataset = keras.utils.image_dataset_from_directory(
            place, shuffle=False, image_size=(8, 8), batch_size=1
        )
    names = dataset.class_names
    labels = [names[int(label[0])] for _, label in dataset]
    return {"names": names, "rows": [list(row) for row in zip(dataset.file_paths, labels, strict=True)]}


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1])))
