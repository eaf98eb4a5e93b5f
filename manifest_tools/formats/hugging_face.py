"""What Hugging Face's ``datasets`` says of a Parquet file's columns in the metadata key ``huggingface``.

It believes this note only where every field of the note fits the column, so column types stand beside it.
Classes are a ClassLabel, whose names are in the order of the indices from 0.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import BadData, NotInstalled
from manifest_tools.groundtruth.annotations import PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable

KEY = b"huggingface"
GROUND_TRUTH = "ground_truth"
"""The column with all of a picture's label as JSON, as ``picture_json`` has it."""

MOST_CLASSES = 1 << 16
"""A ClassLabel has a name for every index up to the highest."""


def import_pyarrow() -> Any:
    """Return pyarrow; raises NotInstalled where there is none, BadData where it asks for another NumPy."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise NotInstalled("pyarrow", "hf", "Parquet") from error
    except ImportError as error:
        raise BadData(
            f'pyarrow cannot be used here ({str(error).splitlines()[0]}); type: pip install "pyarrow<26"'
        ) from error
    return pyarrow


# ---- writing ----


def schema_of(kind: PictureLabelKind, table: ClassTable) -> Any:
    """Return the schema of a file with labels of a kind, the note of Hugging Face in it."""
    pa = import_pyarrow()
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [("image", image), *_label_fields(pa, kind), (GROUND_TRUTH, pa.string())]
    note = {"info": {"features": features_of(kind, table.labels)}}
    return pa.schema(fields, {KEY: json.dumps(note).encode()})


def _label_fields(pa: Any, kind: PictureLabelKind) -> list[Any]:
    if kind == "single_label":
        return [("label", pa.int64())]
    if kind == "multi_label":
        return [("labels", pa.list_(pa.int64()))]
    objects = [
        ("id", pa.list_(pa.int64())),
        ("area", pa.list_(pa.float64())),
        ("bbox", pa.list_(pa.list_(pa.float64(), 4))),
        ("category", pa.list_(pa.int64())),
    ]
    sizes = [(name, pa.int64()) for name in ("image_id", "width", "height")]
    return [*sizes, ("objects", pa.struct(objects))]


def features_of(kind: PictureLabelKind, names: Sequence[str]) -> dict[str, Any]:
    """Return the features of the columns, as ``datasets`` writes and reads them."""
    classes = {"names": list(names), "_type": "ClassLabel"}
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if kind == "single_label":
        features["label"] = classes
    elif kind == "multi_label":
        features["labels"] = {"feature": classes, "_type": "Sequence"}
    else:
        features |= {name: _value("int64") for name in ("image_id", "width", "height")}
        box = {"feature": _value("float64"), "length": 4, "_type": "Sequence"}
        inside = {"id": _value("int64"), "area": _value("float64"), "bbox": box, "category": classes}
        features["objects"] = {"feature": inside, "_type": "Sequence"}
    return features | {GROUND_TRUTH: _value("string")}


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


# ---- reading ----

_LABELS = ("label", "labels", "class", "classes", "category", "target", "fine_label")
_CATEGORIES = ("category", "categories", "label", "labels", "class", "classes")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a file hold what."""

    image: str
    is_struct: bool
    """Whether the picture's column has fields ``bytes`` and ``path``; without, it is bytes."""

    label: str = ""
    """Empty where there is none."""

    kind: PictureLabelKind = "single_label"
    names: tuple[str, ...] | None = None
    """Of the classes, in order of index; None where the column says nothing, or has names itself."""

    category: str = ""
    """The field of ``label`` with the classes of boxes."""

    is_described: bool = False
    """Whether there is a column with our own JSON."""


def columns_of(path: str, schema: Any) -> Columns:
    """Return the columns of a file by its schema; raises BadData where no column has pictures."""
    pa = import_pyarrow()
    features = _features(schema.metadata or {})
    image = next(_images(pa, schema, features), None)
    if image is None:
        raise BadData(
            f"{path}: expected a column of pictures, found {', '.join(schema.names[:12]) or 'none'}"
        )
    described = GROUND_TRUTH in schema.names and pa.types.is_string(schema.field(GROUND_TRUTH).type)
    found: dict[str, Any] = {
        "image": image,
        "is_struct": pa.types.is_struct(schema.field(image).type),
        "is_described": described,
    }
    if "objects" in schema.names and pa.types.is_struct(schema.field("objects").type):
        inside = schema.field("objects").type
        fields = [inside.field(at).name for at in range(inside.num_fields)]
        category = next((name for name in _CATEGORIES if name in fields), "")
        if category and "bbox" in fields:
            feature = _inner(features.get("objects"), category)
            return Columns(**found, label="objects", kind="boxes", names=_names(feature), category=category)
    label = next(_labels(pa, schema, features, image), "")
    if not label:
        return Columns(**found)
    kind: PictureLabelKind = "multi_label" if _is_list(pa, schema.field(label).type) else "single_label"
    return Columns(**found, label=label, kind=kind, names=_names(features.get(label)))


def _images(pa: Any, schema: Any, features: Mapping[str, Any]) -> Iterator[str]:
    """Yield the columns that may have pictures, the likeliest first."""
    known = [name for name in schema.names if _type(features.get(name)) == "Image"]
    for name in [*known, *schema.names]:
        kind = schema.field(name).type
        is_binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        if pa.types.is_struct(kind):
            is_image = bool({"bytes", "path"} & {field.name for field in kind})
        else:
            is_image = is_binary and (name in known or name.startswith(("image", "img", "picture")))
        if is_image:
            yield name


def _labels(pa: Any, schema: Any, features: Mapping[str, Any], image: str) -> Iterator[str]:
    """Yield the columns that may have classes, the likeliest first."""
    known = [name for name in schema.names if _names(features.get(name)) is not None]
    for name in [*known, *(name for name in _LABELS if name in schema.names)]:
        kind = schema.field(name).type
        if name != image and (_is_class(pa, kind) or (_is_list(pa, kind) and _is_class(pa, kind.value_type))):
            yield name


def _is_class(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _features(metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Return the features of the note; nothing where there is none, or one of another form."""
    try:
        features = json.loads(metadata.get(KEY, b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _type(feature: Any) -> Any:
    return feature.get("_type") if isinstance(feature, dict) else None


def _inner(feature: Any, name: str) -> Any:
    """Return the feature of a field of a struct, which may be written as a sequence."""
    inside = feature.get("feature", feature) if isinstance(feature, dict) else None
    return inside.get(name) if isinstance(inside, dict) else None


def _names(feature: Any) -> tuple[str, ...] | None:
    """Return the names of a ClassLabel, or of a sequence of one; None for another feature."""
    while isinstance(feature, dict) and _type(feature) in ("Sequence", "List", "LargeList"):
        feature = feature.get("feature")
    names = feature.get("names") if isinstance(feature, dict) and _type(feature) == "ClassLabel" else None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    return None
