import io
import math
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manifest_tools.images.integrity import FORMATS, Header, check_picture
from manifest_tools.images.shrink import Recipe, prepare, shrink, target_size
from manifest_tools.images.unusable import MAX_BYTES, Unusable

GREEN, RED = (0, 160, 0), (200, 30, 30)


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red, with a green quarter at the top left: what is turned or mirrored shows it."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (0, 0, width // 2, height // 2))
    return image.convert(mode)


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def is_green(image: Image.Image, x: float, y: float) -> bool:
    pixel = image.getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(pixel, tuple)
    return pixel[1] > pixel[0]


def fine(width: int, height: int) -> Image.Image:
    """Structure at every size, noise included, from a fixed seed."""
    random = np.random.default_rng(0)
    pixels = random.normal(128, 12, (height, width, 3))
    for cells in (4, 16, 64):
        small = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        pixels += np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), float) * 0.3 - 38
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def psnr(found: Image.Image, expected: Image.Image) -> float:
    error = np.asarray(found, float) - np.asarray(expected, float)
    return 10 * math.log10(255**2 / float((error**2).mean()))


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 600))
def test_sizes_are_those_of_im2rec(width: int, height: int, shorter: int) -> None:
    # The two lines of im2rec.py, with shape[0] the height.
    if height > width:
        expected = (shorter, height * shorter // width)
    else:
        expected = (width * shorter // height, shorter)
    assert target_size(width, height, shorter) == expected


@pytest.mark.parametrize(
    ("size", "shorter", "square", "expected"),
    [
        pytest.param((400, 300), 100, False, (133, 100), id="a wide one is shrunk to its height"),
        pytest.param((300, 400), 100, False, (100, 133), id="a tall one is shrunk to its width"),
        pytest.param((40, 30), 100, False, (133, 100), id="a small one is enlarged"),
        pytest.param((401, 300), 100, True, (100, 100), id="a square is cut out first"),
        pytest.param((40, 30), 0, False, (40, 30), id="no size leaves it as it is"),
        pytest.param((41, 30), 0, True, (30, 30), id="a square without a size"),
        pytest.param((1601, 1203), 150, False, (199, 150), id="after a decode to an eighth"),
    ],
)
def test_the_shorter_edge_is_what_was_asked_for(
    size: tuple[int, int], shorter: int, square: bool, expected: tuple[int, int]
) -> None:
    small = decoded(shrink(encoded(picture(*size)), shorter, 90, square))
    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", expected)


def test_a_square_is_the_middle() -> None:
    image = Image.new("RGB", (300, 100), RED)
    image.paste(GREEN, (100, 0, 200, 100))
    small = decoded(shrink(encoded(image, quality=95), 50, 95, square=True))
    assert all(is_green(small, x, y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.9))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(64, 48), (1600, 1200)], ids=["whole decode", "scaled decode"])
def test_the_camera_s_orientation_is_applied(orientation: int, size: tuple[int, int]) -> None:
    upright = picture(*size)
    # How the sensor saw it: the inverse of what Image.Transpose will undo.
    undo: dict[int, int] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    small = decoded(shrink(encoded(stored, exif=exif), 48))
    assert small.size == (64, 48)
    assert is_green(small, 0.2, 0.2)
    assert not any(is_green(small, x, y) for x, y in ((0.8, 0.2), (0.2, 0.8), (0.8, 0.8)))
    assert not small.getexif()


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    deep = Image.fromarray(np.full((48, 64), 200 << 8, np.uint16))
    image = deep if mode == "I;16" else picture(mode=mode)
    data = encoded(image, "JPEG" if mode == "CMYK" else "PNG")
    small = decoded(shrink(data, 24))
    assert (small.mode, small.size) == ("RGB", (32, 24))
    if mode in ("P", "RGBA", "CMYK"):
        assert is_green(small, 0.2, 0.2) and not is_green(small, 0.8, 0.8)
    if mode == "I;16":
        assert small.getpixel((5, 5)) == (200, 200, 200)


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        pytest.param(65_535, 255, id="16 bits"),
        pytest.param(51_200, 200, id="16 bits, not quite white"),
        pytest.param(4_096, 16, id="dark, of 16 bits"),
        pytest.param(4_095, 255, id="12 bits"),
        pytest.param(3_200, 200, id="12 bits, not quite white"),
        pytest.param(255, 255, id="8 bits"),
        pytest.param(0, 0, id="black"),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_grey_of_16_bits_keeps_the_upper_8_of_the_bits_that_it_uses(
    format: str, highest: int, expected: int
) -> None:
    data = encoded(Image.fromarray(np.full((48, 64), highest, np.uint16)), format)
    made = prepare(data, Recipe(24))
    assert decoded(made.data).getpixel((5, 5)) == (expected,) * 3
    assert made.is_shallow == prepare(data, Recipe(pass_through=True)).is_shallow == (0 < highest < 4096)


def test_grey_of_32_bits_is_refused() -> None:
    data = encoded(Image.fromarray(np.full((48, 64), 70_000, np.int32)), "TIFF")
    with pytest.raises(Unusable, match="expected pixels of 8 or 16 bits, found values from 70,000 to 70,000"):
        shrink(data, 24)


@pytest.mark.parametrize("format", FORMATS)
def test_every_listed_format_is_read(format: str) -> None:
    data = encoded(picture(), format)
    assert check_picture(data) == Header(format, 64, 48)
    assert decoded(shrink(data, 24)).size == (32, 24)


@pytest.mark.parametrize(
    "size", [(300, 260), (420, 330), (700, 520), (1000, 800), (2100, 1600), (1150, 1150)]
)
def test_a_shrunk_picture_is_as_good_as_a_lanczos_one(size: tuple[int, int]) -> None:
    data = encoded(fine(*size), quality=95)
    whole = decoded(data)
    lanczos = whole.resize(target_size(*size, 224), Image.Resampling.LANCZOS)
    best = psnr(decoded(encoded(lanczos, quality=95, subsampling="4:2:0")), lanczos)
    assert psnr(decoded(shrink(data, 224)), lanczos) > best - 0.6


@pytest.mark.parametrize(
    "size", [(300, 260), (420, 330), (700, 520), (1000, 800), (2100, 1600), (1150, 1150)]
)
def test_a_shrunk_picture_is_no_worse_than_opencv_s(size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    data = encoded(fine(*size), quality=95)
    wanted = target_size(*size, 224)
    lanczos = decoded(data).resize(wanted, Image.Resampling.LANCZOS)
    theirs = cv2.resize(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), wanted)
    theirs = cv2.imencode(".jpg", theirs, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    assert psnr(decoded(shrink(data, 224)), lanczos) >= psnr(decoded(theirs), lanczos)


def png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    chunks = b""
    for name, body in (
        (b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ):
        chunks += len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunks


JPEG = encoded(fine(200, 150))

BROKEN = [
    pytest.param(b"", "MT402", "an empty file", id="nothing"),
    pytest.param(b"<html>no</html>", "MT402", "found an HTML page", id="a page of HTML"),
    pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", "MT402", "expected a picture", id="a PostScript program"),
    pytest.param(JPEG[: len(JPEG) // 2], "MT403", "cut off", id="half a JPEG"),
    pytest.param(encoded(fine(64, 48), "PNG")[:-900], "MT403", "cut off", id="most of a PNG"),
    pytest.param(b"\xff\xd8\xff\xe0", "MT403", "cut off after 4 bytes", id="four bytes of a JPEG"),
    pytest.param(png(20_000, 6_000), "MT404", "20,000 x 6,000", id="a bomb below twice the limit"),
    pytest.param(png(100_000, 100_000), "MT404", "100,000,000 pixels", id="a bomb that Pillow stops at"),
]


@pytest.mark.parametrize(("data", "code", "message"), BROKEN)
@pytest.mark.parametrize("recipe", [Recipe(32), Recipe(pass_through=True)], ids=["shrunk", "passed through"])
def test_a_picture_that_cannot_be_used_says_why(data: bytes, code: str, message: str, recipe: Recipe) -> None:
    with pytest.raises(Unusable) as found:
        prepare(data, recipe)
    assert found.value.code == code
    assert message in found.value.message


def test_more_bytes_than_the_limit_are_not_looked_at() -> None:
    with pytest.raises(Unusable) as found:
        check_picture(JPEG + bytes(MAX_BYTES))
    assert found.value.code == "MT404"


@pytest.mark.parametrize(
    ("size", "shorter", "message"),
    [
        pytest.param((20, 1), 3_000, "found 60,000 x 3,000", id="more pixels than the limit"),
        pytest.param((3_000, 1), 30, "not 90,000", id="longer than a JPEG can be"),
    ],
)
def test_an_enlargement_has_a_limit(size: tuple[int, int], shorter: int, message: str) -> None:
    with pytest.raises(Unusable, match=message) as found:
        shrink(encoded(Image.new("RGB", size), "PNG"), shorter)
    assert found.value.code == "MT404"


def test_a_thumbnail_s_end_is_not_taken_for_the_picture_s() -> None:
    exif = b"\xff\xe1" + (2 + len(JPEG)).to_bytes(2, "big") + JPEG
    assert check_picture(b"\xff\xd8" + exif + JPEG[2:]).format == "JPEG"
    with pytest.raises(Unusable) as found:
        check_picture(b"\xff\xd8" + exif + JPEG[2:-100])
    assert found.value.code == "MT403"


def test_bytes_behind_the_end_do_no_harm() -> None:
    assert check_picture(JPEG + b"a phone's own data").format == "JPEG"


def test_damaged_exif_turns_nothing() -> None:
    data = JPEG[:2] + b"\xff\xe1\x00\x10Exif\0\0II*\0\xff\xff\xff\xff" + JPEG[2:]
    assert decoded(shrink(data, 75)).size == (100, 75)


def test_what_is_passed_through_must_be_of_an_accepted_format() -> None:
    gif = encoded(picture(), "GIF")
    with pytest.raises(Unusable, match="expected JPEG or PNG, found GIF"):
        prepare(gif, Recipe(pass_through=True, accepted=("JPEG", "PNG")))


@given(st.binary(max_size=200), st.integers(0, len(JPEG)), st.booleans())
def test_no_damage_to_a_picture_escapes_as_another_error(junk: bytes, at: int, insert: bool) -> None:
    data = JPEG[:at] + junk + JPEG[at if insert else at + len(junk) :]
    for recipe in (Recipe(32), Recipe(pass_through=True)):
        try:
            assert prepare(data, recipe)
        except Unusable as why:
            assert why.code in ("MT402", "MT403", "MT404")


def test_no_warning_of_pillow_reaches_the_user() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shrink(encoded(Image.new("L", (10_000, 9_500)), "JPEG"), 32)
