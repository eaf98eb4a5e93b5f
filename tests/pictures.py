"""Small pictures, and manifests that name them."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

CLASSES = ("RH", "LH", "LH/../x")


def jpeg(shade: int, size: tuple[int, int] = (60, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 255 - shade, 100)).save(out, "JPEG")
    return out.getvalue()


def mask_png(colour: str, size: tuple[int, int] = (60, 40)) -> bytes:
    """Return a mask with a rectangle of a colour, and white around it."""
    out = io.BytesIO()
    image = Image.new("RGB", size, "#ffffff")
    image.paste(colour, (5, 6, 25, 20))
    image.save(out, "PNG")
    return out.getvalue()


def row(key: str, label: int | Sequence[int]) -> dict[str, Any]:
    if isinstance(label, int):
        metadata: dict[str, Any] = {"class-name": CLASSES[label], "type": "groundtruth/image-classification"}
    else:
        names = {str(index): CLASSES[index] for index in label}
        metadata = {"class-map": names, "type": "groundtruth/image-classification-multilabel"}
    return {"source-ref": f"s3://raw/{key}", "part": label, "part-metadata": metadata}


def write_manifest(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(value) + "\n" for value in rows))
    return str(path)
