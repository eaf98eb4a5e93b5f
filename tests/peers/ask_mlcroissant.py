"""Ask mlcroissant about a description; runs in the environment of the peers.

python ask_mlcroissant.py FILE    prints {"errors": [...], "records": {record set: [record, ...]}};
                                  of a picture its middle pixel
"""

# mypy: disable-error-code=import-not-found

import json
import sys
from typing import Any


def read(place: str) -> dict[str, Any]:
    """Return what is wrong with a description, and the records that it leads to."""
    import mlcroissant as mlc  # here, for pytest looks into this file without having it

    dataset = mlc.Dataset(place)
    records = {
        found.id: [
            {key.rpartition("/")[2]: _plain(value) for key, value in record.items()}
            for record in dataset.records(found.id)
        ]
        for found in dataset.metadata.record_sets
    }
    return {"errors": sorted(map(str, dataset.metadata.issues.errors)), "records": records}


def _plain(value: Any) -> Any:
    if hasattr(value, "getpixel"):
        width, height = value.size
        return list(value.convert("RGB").getpixel((width // 2, height // 2)))
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1])))
