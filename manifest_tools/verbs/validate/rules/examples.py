"""Lines for the examples of rules: the usual line of a type, with what an example changes in it."""

import json
from collections.abc import Mapping
from typing import Any

_GONE: Any = None
_PICTURE = "s3://lab3-rawdata/IMG_0085.JPG"


def lines(*values: Mapping[str, Any] | str) -> str:
    """Return the text of a manifest.

    >>> lines({"source": "a"}, "{}")
    '{"source":"a"}\\n{}\\n'
    """
    texts = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for value in values
    )
    return "".join(f"{text}\n" for text in texts)


def line(ref: str = _PICTURE, **changes: Any) -> dict[str, Any]:
    """Return a line without label; each key of ``changes`` has ``_`` for ``-``."""
    return _changed({"source-ref": ref}, changes)


def single(label: Any = 0, ref: str = _PICTURE, name: Any = "RH", **changes: Any) -> dict[str, Any]:
    """Return a line of image classification; ``changes`` are of its metadata, None leaves a field out."""
    usual = {"class_name": name, "confidence": 0.95}
    return labelled("hand", label, "image-classification", ref, **usual | changes)


def several(label: Any, named: Any, ref: str = _PICTURE, **changes: Any) -> dict[str, Any]:
    """Return a line of multi-label image classification."""
    kind = "image-classification-multilabel"
    return labelled("tags", label, kind, ref, class_map=named, **changes)


def labelled(
    attribute: str, label: Any, kind: str | None, ref: str = _PICTURE, **changes: Any
) -> dict[str, Any]:
    """Return a line with one label attribute of a task type."""
    common = {
        "type": f"groundtruth/{kind}",
        "job-name": f"labeling-job/{attribute}",
        "human-annotated": "yes",
        "creation-date": "2019-05-04T20:26:41.638095",
    }
    return {"source-ref": ref, attribute: label, f"{attribute}-metadata": _changed(common, changes)}


def _changed(value: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    changed = value | {key.replace("_", "-"): new for key, new in changes.items()}
    return {key: inner for key, inner in changed.items() if inner is not _GONE}
