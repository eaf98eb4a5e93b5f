"""Objects that a manifest may point to, good and bad, and a folder to put them in."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from manifest_tools.base.problem import Problem
from manifest_tools.verbs.validate.objects import check_objects
from tests.pictures import row

SEGMENTS = "groundtruth/semantic-segmentation"
HTML = b"<!DOCTYPE html>\n<html><body>404</body></html>"


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def plain(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new(mode, size)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return a picture that no format makes small."""
    random = np.random.default_rng(seed)
    return Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))


def turned(orientation: int, size: tuple[int, int] = (60, 40), format: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(plain(size=size), format, exif=exif)


def with_metadata(picture: bytes, kilobytes: int, marker: int = 0xE2) -> bytes:
    """Return a JPEG with so much of a colour profile, or of something else, before its size."""
    body = b"ICC_PROFILE\0".ljust(50_000 - 2, b"x")
    segment = bytes((0xFF, marker)) + (50_000).to_bytes(2, "big") + body
    return picture[:2] + segment * (kilobytes // 50) + picture[2:]


class Workspace:
    """A folder `raw` with the objects of the bucket `raw`, and manifests that name them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw = folder / "raw"
        self.raw.mkdir()

    def put(self, key: str, data: bytes) -> None:
        path = self.raw / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def manifest(self, *lines: dict[str, Any] | str, name: str = "a.manifest") -> str:
        path = self.folder / name
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_text("".join(f"{text}\n" for text in texts))
        return str(path)

    def check(self, *lines: dict[str, Any] | str, **options: Any) -> list[Problem]:
        given: dict[str, Any] = {"images": [f"s3://raw={self.raw}"], "jobs": 1} | options
        return list(check_objects(self.manifest(*lines), **given))

    def one(self, key: str, data: bytes, **options: Any) -> list[tuple[str, str]]:
        """Return code and message of what is found in one picture."""
        self.put(key, data)
        return [(problem.code, problem.message) for problem in self.check(row(key, 0), **options)]


def mask(key: str, mask_key: str, metadata_key: str = "mask-ref-metadata") -> dict[str, Any]:
    ref = f"s3://raw/{mask_key}"
    return {"source-ref": f"s3://raw/{key}", "mask-ref": ref, metadata_key: {"type": SEGMENTS}}
