"""Broken pictures are found, whatever breaks them; sound oddities pass."""

import io
import struct
import time
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manifest_tools.images.integrity import check_header, check_picture
from manifest_tools.images.jpeg_structure import walk_jpeg
from manifest_tools.images.shrink import shrink
from manifest_tools.images.unusable import MAX_BYTES, Unusable
from tests.objects import encoded, noise, turned

END = b"\xff\xd9"


def soft(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Return colours that flow into one another, with some noise: like a photograph, for an encoder."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    pixels = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), float)
    pixels += random.normal(0, 4, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert(mode)


def middle(data: bytes) -> int:
    """Return an offset in the middle of the pixels of a JPEG."""
    scan = walk_jpeg(data)
    assert scan is not None
    return (scan.begin + scan.end) // 2


def found(data: bytes) -> str:
    """Return why a picture is broken, the same for a copy and for a decode; empty for a sound one."""
    messages = []
    for use in (check_picture, lambda data: shrink(data, 32)):
        try:
            use(data)
            messages.append("")
        except Unusable as why:
            assert why.code in ("MT402", "MT403")
            messages.append(why.message)
    assert messages[0] == messages[1]
    return messages[0]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


PHOTO = encoded(soft(400, 300), quality=90)
RESTARTS = encoded(soft(400, 300), quality=90, restart_marker_rows=1)
PROGRESSIVE = encoded(soft(400, 300), quality=90, progressive=True)
FLAT = encoded(Image.new("RGB", (2000, 1500), (9, 9, 9)), optimize=True)
PNG = encoded(soft(100, 80), "PNG")

SOUND = {
    "a photograph": PHOTO,
    "one flat colour, in tables made for it: zeros everywhere": FLAT,
    "one flat colour, in the usual tables": encoded(Image.new("RGB", (2000, 1500), (9, 9, 9))),
    "black": encoded(Image.new("L", (900, 700))),
    "restart markers": RESTARTS,
    "restart markers, one more behind the last blocks": RESTARTS[:-2] + b"\xff\xd2" + END,
    "progressive": PROGRESSIVE,
    "progressive, with restart markers": encoded(soft(400, 300), progressive=True, restart_marker_rows=2),
    "CMYK": encoded(soft(200, 100, "CMYK")),
    "grey": encoded(soft(200, 100, "L")),
    "no subsampling, and the best quality": encoded(soft(200, 100), quality=100, subsampling="4:4:4"),
    "one pixel": encoded(Image.new("RGB", (1, 1))),
    "bytes that fill before a marker": PHOTO[:2] + b"\xff\xff\xff" + PHOTO[2:-2] + b"\xff\xff" + END,
    "other bytes before a marker of the header": PHOTO[:20] + b"\0" * 11 + PHOTO[20:],
    "zeros behind the end": PHOTO + bytes(100_000),
    "zeros between the pixels and the end": PHOTO[:-2] + bytes(2_000) + END,
    "a few bytes too many": PHOTO[:-2] + b"\x12\x34\x56\x78\x9a\xbc\xde" + END,
    "a phone's second picture": encoded(soft(400, 300), "MPO", save_all=True, append_images=[noise(90, 60)]),
    "a phone's video": PHOTO + b"\0\0\0\x18ftypmp42" + bytes(50_000),
    "another picture, cut off, behind the end": PHOTO + PHOTO[:5_000],
    "a thumbnail in the header": PHOTO[:2]
    + b"\xff\xe1"
    + struct.pack(">H", 2 + 4_000)
    + PHOTO[:4_000]
    + PHOTO[2:],
    "an orientation flag": turned(6),
    "a PNG": PNG,
    "a PNG in many chunks": PNG[:33]
    + b"".join(chunk(b"IDAT", PNG[41:-16][at : at + 100]) for at in range(0, len(PNG) - 57, 100))
    + chunk(b"IEND", b""),
    "a PNG, interlaced by nobody, with a palette": encoded(soft(90, 70).convert("P"), "PNG"),
    "a PNG with a text behind its end": PNG + b"text",
    "a GIF": encoded(soft(90, 70, "P"), "GIF"),
    "a WebP": encoded(soft(90, 70), "WEBP"),
    "a BMP": encoded(soft(90, 70), "BMP"),
    "a TIFF": encoded(soft(90, 70), "TIFF"),
}


@pytest.mark.parametrize("data", SOUND.values(), ids=SOUND)
def test_a_sound_oddity_passes(data: bytes) -> None:
    assert found(data) == ""


def restarts_without_one(data: bytes) -> bytes:
    at = data.index(b"\xff\xd3", walk_jpeg(data).begin)  # type: ignore[union-attr]
    return data[:at] + data[at + 2 :]


BROKEN = {
    "a tail of zeros": (PHOTO[: middle(PHOTO)] + bytes(len(PHOTO) - middle(PHOTO)), "cut off after"),
    "a hole of zeros, and the end is there": (
        PHOTO[: middle(PHOTO)] + bytes(4_096) + PHOTO[middle(PHOTO) + 4_096 :],
        "its pixels have a hole of zeros, from byte",
    ),
    "a tail of zeros, and the end is there": (
        PHOTO[: middle(PHOTO)] + bytes(len(PHOTO) - middle(PHOTO) - 2) + END,
        "bytes are missing within its pixels",
    ),
    "a hole of zeros in a progressive picture": (
        PROGRESSIVE[: len(PROGRESSIVE) // 2] + bytes(4_096) + PROGRESSIVE[len(PROGRESSIVE) // 2 + 4_096 :],
        "its pixels have a hole of zeros",
    ),
    "missing bytes in the middle": (
        PHOTO[: middle(PHOTO)] + PHOTO[middle(PHOTO) + 2_000 :],
        "bytes are missing within its pixels, or are wrong",
    ),
    "a part that is there twice": (
        PHOTO[: middle(PHOTO)] + PHOTO[middle(PHOTO) - 2_000 :],
        "more bytes than its pixels take, so some are wrong",
    ),
    "a part of itself that is not there, and zeros that stand for flat colour": (
        FLAT[: middle(FLAT) - 500] + FLAT[middle(FLAT) :],
        "bytes are missing within its pixels",
    ),
    "a restart marker that is missing": (restarts_without_one(RESTARTS), "restart markers in order, found"),
    "restart markers that no header announces": (
        PHOTO[: middle(PHOTO)] + b"\xff\xd0" + PHOTO[middle(PHOTO) :],
        "a restart marker that its header does not announce",
    ),
    "another picture from the middle on": (PHOTO[: middle(PHOTO)] + PHOTO, "another picture begins at byte"),
    "no end marker": (PHOTO[:-2], "cut off after"),
    "only a header, and the end": (PHOTO[: PHOTO.index(b"\xff\xda")] + END, "cut off after"),
    "a PNG with a wrong checksum": (
        PNG[:-14] + b"\0" + PNG[-13:],
        "the checksum of its chunk IDAT at byte 33",
    ),
    "a PNG without its last chunk": (PNG[:-12], "cut off after"),
    "a PNG that ends in its last checksum": (PNG[:-1], "cut off after"),
    "a BMP cut off": (encoded(soft(90, 70), "BMP")[:-900], "cut off"),
}


@pytest.mark.parametrize(("data", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_picture_is_found_by_a_copy_and_by_a_decode(data: bytes, message: str) -> None:
    assert message in found(data)


def drawn(width: int, height: int, mode: str, seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(pixels, "RGBA").convert(mode)


sizes = st.integers(1, 40)


@given(sizes, sizes, st.sampled_from(("L", "LA", "P", "RGB", "RGBA", "1")), st.integers(0, 9), st.data())
def test_every_cut_and_every_changed_byte_of_a_png_is_found_or_decodes_equal(
    width: int, height: int, mode: str, seed: int, data: st.DataObject
) -> None:
    image = drawn(width, height, mode, seed)
    png = encoded(image, "PNG")
    check_picture(png)
    at = data.draw(st.integers(0, len(png) - 1))
    with pytest.raises(Unusable):
        check_picture(png[:at])
    changed = bytearray(png)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        check_picture(bytes(changed))
    except Unusable:
        return
    with Image.open(io.BytesIO(bytes(changed))) as read:
        assert np.array_equal(np.asarray(read), np.asarray(image))


jpeg_options = st.fixed_dictionaries(
    {
        "quality": st.integers(1, 100),
        "progressive": st.booleans(),
        "optimize": st.booleans(),
        "restart_marker_blocks": st.integers(0, 5),
    }
)
subsamplings = st.sampled_from(("4:4:4", "4:2:2", "4:2:0"))


@given(sizes, sizes, st.sampled_from(("L", "RGB", "CMYK")), subsamplings, jpeg_options, st.data())
def test_a_jpeg_passes_whole_and_is_found_wherever_it_is_cut(
    width: int, height: int, mode: str, subsampling: str, options: dict[str, Any], data: st.DataObject
) -> None:
    image = drawn(width, height, mode, data.draw(st.integers(0, 9)))
    if data.draw(st.booleans()):
        image = image.resize((width * 9, height * 5))
    options = options | ({"subsampling": subsampling} if mode == "RGB" else {})
    jpeg = encoded(image, **options)
    assert found(jpeg) == ""
    assert found(jpeg[: data.draw(st.integers(0, len(jpeg) - 1))]) != ""


@given(st.integers(100, 2_000), st.data())
def test_bytes_that_are_missing_within_a_photograph_are_found(length: int, data: st.DataObject) -> None:
    scan = walk_jpeg(PHOTO)
    assert scan is not None
    at = data.draw(st.integers(scan.begin, scan.end - length - 64))
    assert found(PHOTO[:at] + PHOTO[at + length :]) != ""
    assert found(PHOTO[:at] + bytes(length) + PHOTO[at + length :]) != ""


HOSTILE: dict[str, tuple[bytes, bytes, bytes]] = {
    "a JPEG of nothing but tiny segments": (b"\xff\xd8\xff\xe0" + PHOTO[4:20], b"\xff\xfe\0\x02", b""),
    "a JPEG of nothing but markers that fill": (PHOTO[:-2], b"\xff", b""),
    "a JPEG of nothing but stuffed bytes": (PHOTO[:-2], b"\xff\0", END),
    "a JPEG of nothing but restart markers": (RESTARTS[:-2], b"\xff\xd0", END),
    "a JPEG of thousands of scans": (
        PROGRESSIVE[:-2],
        PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2],
        END,
    ),
    "a PNG of nothing but empty chunks": (PNG[:33], chunk(b"teXt", b""), b""),
}


@pytest.mark.parametrize(("first", "repeated", "last"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_pictures_end_soon(first: bytes, repeated: bytes, last: bytes) -> None:
    data = first + repeated * ((MAX_BYTES - len(first) - len(last)) // len(repeated)) + last
    begun = time.process_time()
    with pytest.raises(Unusable):
        check_picture(data)
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("data", [PHOTO, RESTARTS, PROGRESSIVE, PNG, turned(6, (60, 40))])
def test_a_header_says_what_a_decode_says(data: bytes) -> None:
    assert check_header(data) == check_picture(data)


def test_a_header_is_read_without_decoding() -> None:
    at = middle(PHOTO)
    shorter = PHOTO[:at] + PHOTO[at + 300 :]
    with pytest.raises(Unusable, match="bytes are missing within its pixels"):
        check_picture(shorter)
    assert check_header(shorter) == check_picture(PHOTO)


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", "WEBP"])
def test_formats_without_a_structure_are_decoded_anyway(format: str) -> None:
    data = encoded(soft(64, 48), format=format)
    assert check_header(data) == check_picture(data)
    with pytest.raises(Unusable):
        check_header(data[: len(data) // 2])


@pytest.mark.parametrize("data", [PHOTO, RESTARTS, PROGRESSIVE, PNG])
def test_a_picture_that_is_cut_off_is_found_without_decoding(data: bytes) -> None:
    for at in (len(data) // 3, len(data) - 20):
        with pytest.raises(Unusable):
            check_header(data[:at])


def test_orientation_behind_the_pixels_of_a_png_is_found() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    at = PNG.index(b"IEND") - 4
    assert check_header(PNG[:at] + chunk(b"eXIf", exif.tobytes()[6:]) + PNG[at:]).orientation == 6
