"""Ask mlcroissant what it makes of a description; runs in the environment of the peers.

python ask_mlcroissant.py FILE RECORD_SET...    prints {"errors": [...], "RECORD_SET": [first records]}
"""

# mypy: disable-error-code="import-not-found, import-untyped"

import itertools
import json
import sys
from typing import Any


def read(place: str, *record_sets: str) -> dict[str, Any]:
    """Return the errors, and the records of some record sets; pictures by their sizes."""
    import mlcroissant as mlc  # here, for pytest looks into this file without having it

    dataset = mlc.Dataset(place)
    found: dict[str, Any] = {"errors": sorted(dataset.metadata.ctx.issues.errors)}
    for name in record_sets:
        records = itertools.islice(dataset.records(name), 10)
        found[name] = [{key: _plain(value) for key, value in record.items()} for record in records]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "size") and hasattr(value, "getpixel"):
        return list(value.size)
    if hasattr(value, "tolist"):
        return value.tolist()
    return value if isinstance(value, int | float | str | list | type(None)) else str(value)


if __name__ == "__main__":
    print(json.dumps(read(*sys.argv[1:])))
