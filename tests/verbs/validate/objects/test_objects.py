import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manifest_tools.base.errors import Refused
from manifest_tools.base.problem import Problem
from manifest_tools.images import partial_reads
from manifest_tools.images.headers import ImageHeader, read_header
from manifest_tools.images.integrity import check_picture
from manifest_tools.images.partial_reads import PartialReader
from manifest_tools.images.signatures import describe
from manifest_tools.images.unusable import CODES as PICTURE_CODES
from manifest_tools.images.unusable import MAX_BYTES, Unusable
from manifest_tools.verbs.validate.objects import CODES, check_objects
from tests.objects import HTML, SEGMENTS, Workspace, encoded, mask, noise, plain, turned, with_metadata
from tests.pictures import jpeg, row

BOXES = "groundtruth/object-detection"


def png_with(chunk: bytes, content: bytes) -> bytes:
    """Return a PNG with one chunk more, before its pixels."""
    data = encoded(plain(), "PNG")
    body = chunk + content
    more = struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + more + data[33:]


def huge_png(side: int) -> bytes:
    """Return the header of a PNG of so many pixels a side, and an end: a decompression bomb."""
    data = encoded(plain(), "PNG")
    header = b"IHDR" + struct.pack(">II", side, side) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def in_hand(data: bytes) -> PartialReader:
    return PartialReader(len(data), data[: partial_reads.HEAD], "", lambda start, end: data[start:end], True)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def boxes(key: str, width: float, height: float) -> dict[str, Any]:
    label = {"image_size": [{"width": width, "height": height, "depth": 3}], "annotations": []}
    return {"source-ref": f"s3://raw/{key}", "boxes": label, "boxes-metadata": {"type": BOXES}}


def places_and_codes(problems: Sequence[Problem]) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.code, problem.path) for problem in problems]


def test_the_sample_s_pictures_are_clean(sample: Path) -> None:
    report = check_objects(str(sample / "output.manifest"), images=[str(sample / "images")])
    assert list(report) == []
    assert (report.lines, report.objects) == (125, 125)


CLEAN = {
    "a JPEG": ("a.jpg", jpeg(1)),
    "a JPEG whose name is in capitals": ("a.JPEG", jpeg(1)),
    "a PNG": ("a.png", encoded(plain(), "PNG")),
    "a name without an ending": ("a", jpeg(1)),
    "a grey picture": ("a.png", encoded(plain("L"), "PNG")),
    "an orientation flag that says upright": ("a.jpg", turned(1)),
    "an orientation flag that means nothing": ("a.jpg", turned(9)),
    "a progressive JPEG": ("a.jpg", encoded(noise(300, 200), progressive=True)),
    "a large JPEG": ("a.jpg", encoded(noise(600, 500), quality=95)),
    "a JPEG with half a megabyte of colour profile": ("a.jpg", with_metadata(jpeg(1), 500)),
    "a JPEG with a thumbnail's worth of comments": ("a.jpg", with_metadata(jpeg(1), 100, 0xFE)),
    "a JPEG with a long note behind its end": ("a.jpg", jpeg(1) + b"x" * 200_000),
    "a PNG with a long note behind its end": ("a.png", encoded(plain(), "PNG") + b"x" * 200_000),
    "a picture with another one behind it, as phones write them": (
        "a.jpg",
        encoded(noise(300, 200), "MPO", save_all=True, append_images=[noise(300, 200, 1)]),
    ),
    "a PNG with a long comment": ("a.png", png_with(b"zTXt", b"x" * 300_000)),
}


@pytest.mark.parametrize(("key", "data"), CLEAN.values(), ids=CLEAN)
def test_a_good_picture_has_no_problem(workspace: Workspace, key: str, data: bytes) -> None:
    assert workspace.one(key, data) == []


LARGE = encoded(noise(300, 300))
DEEP = encoded(noise(300, 300), "PNG")

BAD = {
    "a PNG called .jpg": (
        "a.jpg",
        encoded(plain(), "PNG"),
        [("MT412", "the name 's3://raw/a.jpg' says JPEG, but the picture is a PNG")],
    ),
    "a JPEG called .heic": (
        "a.HEIC",
        jpeg(1),
        [("MT412", "the name 's3://raw/a.HEIC' says HEIC, but the picture is a JPEG")],
    ),
    "a GIF": ("a.gif", encoded(plain("L"), "GIF"), [("MT413", "expected a JPEG or PNG, found GIF")]),
    "a WebP": ("a.webp", encoded(plain(), "WEBP"), [("MT413", "expected a JPEG or PNG, found WEBP")]),
    "a TIFF": ("a.tif", encoded(plain(), "TIFF"), [("MT413", "expected a JPEG or PNG, found TIFF")]),
    "a large TIFF with its header at its end": (
        "a.tif",
        encoded(noise(300, 300), "TIFF"),
        [("MT413", "expected a JPEG or PNG, found TIFF")],
    ),
    "a picture to be turned": (
        "a.jpg",
        turned(6),
        [
            (
                "MT414",
                "expected a picture stored upright, found orientation flag 6:"
                " on its side, to be turned to the right",
            )
        ],
    ),
    "a PNG to be turned": (
        "a.png",
        turned(3, format="PNG"),
        [("MT414", "expected a picture stored upright, found orientation flag 3: upside down")],
    ),
    "CMYK": (
        "a.jpg",
        encoded(plain("CMYK")),
        [("MT415", "expected RGB or grey of 8 bits, found CMYK, the colours of print")],
    ),
    "CMYK behind half a megabyte of colour profile": (
        "a.jpg",
        with_metadata(encoded(plain("CMYK")), 500),
        [("MT415", "expected RGB or grey of 8 bits, found CMYK, the colours of print")],
    ),
    "a palette": (
        "a.png",
        encoded(plain("P"), "PNG"),
        [("MT415", "expected RGB or grey of 8 bits, found a palette")],
    ),
    "alpha": (
        "a.png",
        encoded(plain("RGBA"), "PNG"),
        [("MT415", "expected RGB or grey of 8 bits, found RGB with alpha")],
    ),
    "grey of 16 bits": (
        "a.png",
        encoded(Image.fromarray(np.zeros((40, 60), np.uint16)), "PNG"),
        [("MT415", "expected RGB or grey of 8 bits, found grey of 16 bits")],
    ),
    "long and thin": (
        "a.png",
        encoded(plain(size=(2100, 100)), "PNG"),
        [("MT417", "expected one side to be at most 20 times the other, found 2,100 x 100 pixels")],
    ),
    "a JPEG cut off in its pixels": (
        "a.jpg",
        encoded(noise(300, 300))[:30_000],
        [("MT403", "a JPEG file cut off after 30,000 bytes")],
    ),
    "a JPEG cut off far from its beginning": (
        "a.jpg",
        encoded(noise(600, 500), quality=95)[:-10],
        [("MT403", f"a JPEG file cut off after {len(encoded(noise(600, 500), quality=95)) - 10:,} bytes")],
    ),
    "a JPEG cut off in its header": (
        "a.jpg",
        jpeg(1)[:100],
        [("MT403", "a JPEG file cut off after 100 bytes, in its header")],
    ),
    "a JPEG whose end is zeros": (
        "a.jpg",
        encoded(noise(300, 300))[:30_000] + bytes(20_000),
        [("MT403", "a JPEG file cut off after 50,000 bytes")],
    ),
    "a PNG cut off": (
        "a.png",
        encoded(noise(300, 300), "PNG")[:50_000],
        [("MT403", "a PNG file cut off after 50,000 bytes")],
    ),
    "a PNG cut off in its header": (
        "a.png",
        encoded(plain(), "PNG")[:20],
        [("MT403", "a PNG file cut off after 20 bytes, in its header")],
    ),
    "an empty file": ("a.jpg", b"", [("MT402", "expected a picture, found an empty file")]),
    "a HEIC": (
        "a.jpg",
        b"\0\0\0\x24ftypheic\0\0\0\0mif1heic",
        [("MT402", "expected a picture, found a HEIC picture")],
    ),
    "an AVIF": ("a.jpg", b"\0\0\0\x1cftypavif", [("MT402", "expected a picture, found an AVIF picture")]),
    "an HTML page": ("a.jpg", HTML, [("MT402", "expected a picture, found an HTML page")]),
    "an error of S3": (
        "a.jpg",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>',
        [("MT402", "expected a picture, found an error message of S3, as XML")],
    ),
    "a pointer of Git LFS": (
        "a.jpg",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
        [
            (
                "MT402",
                "expected a picture, found a Git LFS pointer, not the file itself: type `git lfs pull`",
            )
        ],
    ),
    "a text": ("a.jpg", b"not found\n", [("MT402", "expected a picture, found a text, 'not found'")]),
    "a text with an escape for the terminal": (
        "a.jpg",
        b"\x1b[31mred",
        [("MT402", "expected a picture, found 8 bytes that begin with '\\x1b[31mred'")],
    ),
    "zeros": (
        "a.jpg",
        bytes(1000),
        [("MT402", "expected a picture, found 1,000 bytes that begin with zeros")],
    ),
    "a decompression bomb": (
        "a.png",
        huge_png(60_000),
        [("MT404", "expected at most 100,000,000 pixels, found many more")],
    ),
    "more than 100 million pixels": (
        "a.png",
        huge_png(10_001),
        [("MT404", "expected at most 100,000,000 pixels, found 10,001 x 10,001")],
    ),
}


@pytest.mark.parametrize(("key", "data", "expected"), BAD.values(), ids=BAD)
def test_a_bad_picture_is_named_for_what_it_is(
    workspace: Workspace, key: str, data: bytes, expected: list[tuple[str, str]]
) -> None:
    assert workspace.one(key, data) == expected


DAMAGED = {
    "a JPEG with a hole": ("a.jpg", LARGE[:40_000] + bytes(5_000) + LARGE[45_000:]),
    "a JPEG that lacks bytes": ("a.jpg", LARGE[:40_000] + LARGE[45_000:]),
    "a PNG with a wrong checksum": ("a.png", DEEP[:40_000] + b"?" + DEEP[40_001:]),
}


@pytest.mark.parametrize(("key", "data"), DAMAGED.values(), ids=DAMAGED)
def test_damage_in_the_middle_is_found_when_pictures_are_decoded(
    workspace: Workspace, key: str, data: bytes
) -> None:
    assert workspace.one(key, data) == []
    ((code, message),) = workspace.one(key, data, decode=True)
    assert (code, message[:10]) == ("MT403", "a damaged ")


@pytest.mark.parametrize(("key", "data"), CLEAN.values(), ids=CLEAN)
def test_a_good_picture_has_no_problem_when_decoded_either(
    workspace: Workspace, key: str, data: bytes
) -> None:
    assert workspace.one(key, data, decode=True) == []


def test_a_damaged_mask_is_found_too(workspace: Workspace) -> None:
    workspace.put("a.jpg", jpeg(1))
    workspace.put("a.png", encoded(plain("P"), "PNG").replace(b"IDATx", b"IDATy"))
    assert [one.code for one in workspace.check(mask("a.jpg", "a.png"), decode=True)] == ["MT403"]


def test_a_damaged_header_is_a_problem(workspace: Workspace) -> None:
    data = bytearray(jpeg(1))
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12  # bits a channel
    ((code, message),) = workspace.one("a.jpg", bytes(data))
    assert code == "MT402"
    assert message.startswith("a JPEG picture that cannot be read (")


@given(st.data())
def test_whatever_becomes_of_a_picture_it_is_a_look_or_a_problem(data: st.DataObject) -> None:
    picture = bytearray(data.draw(st.sampled_from([jpeg(1), turned(6), encoded(plain("P"), "PNG")])))
    for _ in range(data.draw(st.integers(1, 4))):
        picture[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(picture[: data.draw(st.integers(0, len(picture)))])
    try:
        assert isinstance(read_header(in_hand(cut)), ImageHeader)
    except Unusable as why:
        assert why.code in PICTURE_CODES


@given(st.sampled_from([jpeg(1), turned(6), encoded(plain("RGBA"), "PNG")]), st.data())
def test_a_cut_picture_is_cut_off_for_convert_too(picture: bytes, data: st.DataObject) -> None:
    cut = picture[: data.draw(st.integers(4, len(picture)))]
    try:
        check_picture(cut)
        expected = True
    except Unusable:
        expected = False
    try:
        read_header(in_hand(cut))
        found = True
    except Unusable:
        found = False
    assert found == expected


@given(st.binary(max_size=600))
def test_everything_has_a_name(data: bytes) -> None:
    assert describe(data, len(data)).isprintable()


def test_smaller_than_the_training_job_wants(workspace: Workspace) -> None:
    found = workspace.one("a.jpg", jpeg(1, (300, 200)), smallest=(224, 224))
    assert found == [("MT416", "expected at least 224 x 224 pixels (image_shape), found 300 x 200 pixels")]
    assert workspace.one("a.jpg", jpeg(1, (224, 224)), smallest=(224, 224)) == []


class TestWhatALineSays:
    def test_boxes_of_another_picture_s_size(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", jpeg(1, (60, 40)))
        found = workspace.check(boxes("a.jpg", 640, 480), boxes("a.jpg", 60, 40), boxes("a.jpg", 60.0, 40.0))
        assert places_and_codes(found) == [(1, "MT418", "$.boxes.image_size[0]")]
        assert found[0].message == "image_size is 640 x 480, but the picture is 60 x 40"

    def test_boxes_drawn_on_the_picture_as_a_browser_turns_it(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", turned(6, (60, 40)))
        found = workspace.check(boxes("a.jpg", 40, 60), boxes("a.jpg", 60, 40), boxes("a.jpg", 41, 60))
        assert [(one.line, one.code) for one in found] == [
            (1, "MT414"),
            (2, "MT414"),
            (3, "MT414"),
            (3, "MT418"),
        ]

    @pytest.mark.parametrize(
        "size", [[], {}, [3], [{"width": "a", "height": 1}], [{"width": True, "height": 1e300}], "x"]
    )
    def test_an_image_size_that_is_none_is_for_the_rules(self, workspace: Workspace, size: Any) -> None:
        workspace.put("a.jpg", jpeg(1))
        line = boxes("a.jpg", 1, 1)
        line["boxes"]["image_size"] = size
        assert workspace.check(line) == []

    def test_masks(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", jpeg(1, (60, 40)))
        workspace.put("right.png", encoded(plain("P"), "PNG"))
        workspace.put("small.png", encoded(plain("P", (30, 20)), "PNG"))
        workspace.put("lossy.png", jpeg(1, (60, 40)))
        found = workspace.check(
            mask("a.jpg", "right.png"),
            mask("a.jpg", "small.png"),
            mask("a.jpg", "lossy.png"),
            mask("a.jpg", "gone.png", "mask-metadata"),
        )
        assert [(one.line, one.code, one.path, one.message) for one in found] == [
            (2, "MT420", "$.mask-ref", "the mask is 30 x 20 pixels, but its picture 60 x 40"),
            (3, "MT419", "$.mask-ref", "expected a PNG as a mask, found JPEG"),
            (4, "MT401", "$.mask-ref", f"expected {workspace.raw}/gone.png, found no such file"),
        ]

    def test_one_label_may_be_requested(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", jpeg(1))
        line = mask("a.jpg", "gone.png") | {"textract-ref": "s3://raw/gone.json"}
        assert [one.path for one in workspace.check(line)] == ["$.mask-ref", "$.textract-ref"]
        assert [one.path for one in workspace.check(line, label_attribute="mask-ref")] == ["$.mask-ref"]
        assert workspace.check(line, label_attribute="kind") == []

    def test_a_key_that_only_looks_like_a_reference(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", jpeg(1))
        assert workspace.check(row("a.jpg", 0) | {"Person-ref": "Ada", "x-ref": 3, "y-ref": None}) == []

    def test_lines_that_cannot_be_read_are_for_the_rules(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", jpeg(1))
        deep = "[" * 100_000
        large = '{"source-ref":"s3://raw/gone.jpg","n":' + "9" * 400 + "}"
        found = workspace.check("", "{]", deep, "[1]", '{"source-ref":7}', large, row("gone.jpg", 0))
        assert places_and_codes(found) == [(6, "MT401", "$.source-ref"), (7, "MT401", "$.source-ref")]

    @pytest.mark.parametrize(
        ("type", "key", "data", "expected"),
        [
            pytest.param("video-classification", "a.mp4", b"\0\0\0\x20ftypisom", [], id="an MP4"),
            pytest.param("video-classification", "a.mpg", b"\0\0\1\xba", [], id="a video of another kind"),
            pytest.param(
                "video-classification",
                "a.mp4",
                HTML,
                ["expected a video, found an HTML page"],
                id="a page in place of a video",
            ),
            pytest.param(
                "video-classification",
                "a.mp4",
                b"",
                ["expected a video, found an empty file"],
                id="an empty video",
            ),
            pytest.param("point_cloud_object_detection", "a.bin", b"\1\2", [], id="a point cloud"),
            pytest.param(
                "point_cloud_object_detection",
                "a.bin",
                b"",
                ["expected data, found an empty file"],
                id="an empty point cloud",
            ),
            pytest.param("text-classification", "a.jpg.txt", b"Fast delivery", [], id="a text"),
        ],
    )
    def test_objects_that_are_no_pictures(
        self, workspace: Workspace, type: str, key: str, data: bytes, expected: list[str]
    ) -> None:
        workspace.put(key, data)
        line = {"source-ref": f"s3://raw/{key}", "a": 0, "a-metadata": {"type": f"groundtruth/{type}"}}
        assert [one.message for one in workspace.check(line)] == expected

    def test_labels_of_points_are_zlib(self, workspace: Workspace) -> None:
        workspace.put("a.bin", b"1")
        workspace.put("right.zlib", zlib.compress(b"\0" * 100_000))
        workspace.put("wrong.zlib", b"[0, 0, 0]")
        kind = {"type": "groundtruth/point_cloud_single_frame_semantic_segmentation"}
        lines = [
            {"source-ref": "s3://raw/a.bin", "a-ref": f"s3://raw/{name}.zlib", "a-ref-metadata": kind}
            for name in ("right", "wrong")
        ]
        assert places_and_codes(workspace.check(*lines)) == [(2, "MT421", "$.a-ref")]


class TestDuplicates:
    def test_the_same_bytes_under_another_name(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", jpeg(1))
        workspace.put("b.jpg", jpeg(2))
        workspace.put("copy.jpg", jpeg(1))
        rows = [row("a.jpg", 0), row("b.jpg", 0), row("a.jpg", 0), row("copy.jpg", 1), row("copy.jpg", 1)]
        found = workspace.check(*rows)
        assert places_and_codes(found) == [(4, "MT422", "$.source-ref")]
        assert found[0].message == "the same bytes as the picture on line 1, under another name"

    def test_large_ones_that_differ_only_in_the_middle_are_two(self, workspace: Workspace) -> None:
        data = encoded(noise(500, 400), quality=95)
        middle = len(data) // 2
        other = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        assert len(data) > 2 * partial_reads.HEAD
        for key, content in (("a.jpg", data), ("b.jpg", other), ("c.jpg", data)):
            workspace.put(key, content)
        found = workspace.check(*(row(key, 0) for key in ("a.jpg", "b.jpg", "c.jpg")))
        assert [(one.line, one.message) for one in found] == [
            (3, "the same bytes as the picture on line 1, under another name")
        ]

    def test_in_training_and_in_validation(self, workspace: Workspace) -> None:
        workspace.put("a.jpg", jpeg(1))
        workspace.put("b.jpg", jpeg(1))
        train = workspace.manifest(row("a.jpg", 0), name="train.manifest")
        validation = workspace.manifest(row("b.jpg", 0), name="validation.manifest")
        (found,) = check_objects(train, validation, images=[str(workspace.raw)], jobs=1)
        assert (found.file, found.line) == (validation, 1)
        assert found.message == f"the same bytes as the picture on line 1 of {train}, under another name"

    def test_masks_and_objects_that_are_no_pictures_may_be_the_same(self, workspace: Workspace) -> None:
        for key in ("a.jpg", "b.jpg"):
            workspace.put(key, jpeg(ord(key[0])))
            workspace.put(f"{key}.png", encoded(plain("P"), "PNG"))
            workspace.put(f"{key}.html", HTML)
        lines = [mask(key, f"{key}.png") for key in ("a.jpg", "b.jpg")]
        broken = [row(f"{key}.html", 0) for key in ("a.jpg", "b.jpg")]
        assert [one.code for one in workspace.check(*lines, *broken)] == ["MT402", "MT402"]


class TestHostile:
    def test_a_sparse_file_of_ten_gigabytes(self, workspace: Workspace) -> None:
        for key, head in (("zeros.jpg", b""), ("large.jpg", jpeg(1)), ("copy.jpg", jpeg(1))):
            workspace.put(key, head)
            os.truncate(workspace.raw / key, 10 << 30)
        found = workspace.check(row("zeros.jpg", 0), row("large.jpg", 0), row("copy.jpg", 0))
        assert [(one.code, one.message) for one in found] == [
            ("MT402", "expected a picture, found 10,737,418,240 bytes that begin with zeros"),
            *[("MT404", f"expected at most {MAX_BYTES:,} bytes, found 10,737,418,240")] * 2,
        ]

    def test_a_pipe_is_not_waited_for(self, workspace: Workspace) -> None:
        os.mkfifo(workspace.raw / "a.jpg")
        (found,) = workspace.check(row("a.jpg", 0))
        assert (found.code, found.message) == (
            "MT401",
            f"expected a file at {workspace.raw}/a.jpg, found something else",
        )

    def test_a_folder_in_place_of_a_picture(self, workspace: Workspace) -> None:
        (workspace.raw / "a.jpg").mkdir()
        assert [one.code for one in workspace.check(row("a.jpg", 0))] == ["MT401"]

    @pytest.mark.parametrize("key", ["../secret.jpg", "x/../../secret.jpg", "link.jpg", "a\0b.jpg", "/etc"])
    def test_what_leads_out_of_the_folder(self, workspace: Workspace, key: str) -> None:
        (workspace.folder / "secret.jpg").write_bytes(jpeg(1))
        (workspace.raw / "link.jpg").symlink_to(workspace.folder / "secret.jpg")
        assert [one.code for one in workspace.check(row(key, 0))] == ["MT405"]

    def test_a_name_that_no_file_can_have(self, workspace: Workspace) -> None:
        assert [one.code for one in workspace.check(row("x" * 5000 + ".jpg", 0))] == ["MT401"]

    def test_a_name_of_a_megabyte(self, workspace: Workspace) -> None:
        found = workspace.check(row("x" * 1_000_000, 0), row("x/" * 500_000 + "a.jpg", 0))
        assert [one.code for one in found] == ["MT401", "MT401"]
        assert max(len(one.message) for one in found) <= 500

    def test_a_lone_surrogate_in_a_name(self, workspace: Workspace) -> None:
        assert workspace.check('{"source-ref":"s3://raw/\\ud800.jpg"}', row("gone.jpg", 0))[0].code == "MT401"

    def test_a_jpeg_of_nothing_but_metadata_ends(self, workspace: Workspace) -> None:
        tiny = b"\xff\xe2\x00\x02" * 2_000_000
        assert workspace.one("a.jpg", jpeg(1)[:2] + tiny + jpeg(1)[2:]) == []


def test_the_same_for_any_number_of_workers(workspace: Workspace) -> None:
    keys = [f"{number}.jpg" for number in range(200)]
    for number, key in enumerate(keys):
        workspace.put(key, (HTML, jpeg(number % 90), turned(number % 8 + 1, (number + 1, 40)))[number % 3])
    rows = [row(key, 0) for key in keys]
    assert workspace.check(*rows, jobs=2) == workspace.check(*rows, jobs=1) != []


def test_a_picture_of_many_lines_is_a_problem_on_each(workspace: Workspace) -> None:
    workspace.put("a.jpg", HTML)
    assert places_and_codes(workspace.check(*[row("a.jpg", 0)] * 3)) == [
        (line, "MT402", "$.source-ref") for line in (1, 2, 3)
    ]


def test_progress_sees_every_batch(workspace: Workspace) -> None:
    seen: list[tuple[int | None, str]] = []

    def watch(items: Any, total: int | None, what: str) -> Any:
        seen.append((total, what))
        yield from items

    workspace.put("a.jpg", jpeg(1))
    assert workspace.check(*[row("a.jpg", 0)] * 130, progress=watch) == []
    assert seen == [(3, "objects")]


def test_what_is_no_manifest_is_for_the_rules(workspace: Workspace) -> None:
    (workspace.folder / "a.jpg").write_bytes(jpeg(1))
    bad = workspace.manifest(row("gone.jpg", 0))
    found = check_objects(str(workspace.folder / "a.jpg"), bad, images=[str(workspace.raw)])
    assert [(one.file, one.code) for one in found] == [(bad, "MT401")]


def test_without_pictures_and_credentials_it_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(
        Refused, match=r"none of its pictures and other objects can be read: .* type `--images \./raw-data`$"
    ):
        workspace.check(row("a.jpg", 0), images=[])


def test_what_cannot_be_read_is_reported_once_a_bucket(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    workspace.put("a.jpg", jpeg(1))
    line = {"source-ref": "s3://raw/a.jpg", "m-ref": "s3://out/m.png", "m-ref-metadata": {"type": SEGMENTS}}
    found = workspace.check(row("a.jpg", 0), line, line)
    assert [(one.line, one.code, one.severity) for one in found] == [(2, "MT411", "warning")]
    assert found[0].message.startswith("2 objects of s3://out, the first on this line, were not checked: ")


def test_a_plain_path_is_from_the_manifest_s_folder(workspace: Workspace) -> None:
    (workspace.folder / "a.jpg").write_bytes(HTML)
    assert places_and_codes(workspace.check({"source-ref": "a.jpg"}, images=[])) == [
        (1, "MT402", "$.source-ref")
    ]


def test_codes_are_a_table_that_says_what_to_do() -> None:
    assert not set(CODES) & set(PICTURE_CODES)
    assert all(code.startswith("MT4") and row.fix.endswith(".") for code, row in CODES.items())
    assert all(not row.reason.endswith(".") and row.source for row in CODES.values())
