import os
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from manifest_tools.images.paths import ImagePaths, common_folder, image_paths, read_file
from manifest_tools.images.unusable import MAX_BYTES, Unusable


@pytest.fixture
def raw_data(tmp_path: Path) -> Path:
    """A folder of pictures, and a secret beside it."""
    folder = tmp_path / "raw"
    (folder / "left").mkdir(parents=True)
    (folder / "left" / "1.jpg").write_bytes(b"left")
    (folder / "1.jpg").write_bytes(b"top")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "alias").symlink_to(folder / "1.jpg")
    return folder


def where(option: str, *refs: str, base: str = ".") -> ImagePaths:
    return image_paths([option], refs, base)


@pytest.mark.parametrize(
    ("option", "ref", "expected"),
    [
        pytest.param("s3://b={}", "s3://b/left/1.jpg", "left", id="a bucket"),
        pytest.param("s3://b/={}", "s3://b/left/1.jpg", "left", id="a bucket with a slash"),
        pytest.param("s3://b/left={}", "s3://b/left/1.jpg", "top", id="a prefix"),
        pytest.param("s3://b/date=1={}", "s3://b/date=1/1.jpg", "top", id="a key with an equals sign"),
        pytest.param("{}", "s3://b/left/1.jpg", "top", id="a bare folder that holds one of the bucket's"),
        pytest.param("{}", "s3://b/alias", "top", id="a link that stays inside"),
    ],
)
def test_a_picture_is_found_where_images_says(raw_data: Path, option: str, ref: str, expected: str) -> None:
    assert read_file(where(option.format(raw_data), ref).find(ref)) == expected.encode()


def test_a_bare_folder_may_hold_the_whole_bucket(raw_data: Path) -> None:
    refs = ("s3://b/left/1.jpg", "s3://b/1.jpg")
    found = where(str(raw_data), *refs)
    assert [read_file(found.find(ref)) for ref in refs] == [b"left", b"top"]


def test_the_longest_prefix_counts(raw_data: Path) -> None:
    found = image_paths([f"s3://b={raw_data}", f"s3://b/deep={raw_data / 'left'}"], [])
    assert read_file(found.find("s3://b/deep/1.jpg")) == b"left"


def test_a_prefix_ends_at_a_slash(raw_data: Path) -> None:
    assert not where(f"s3://b/le={raw_data}").covers("s3://b/left/1.jpg")


def test_a_plain_path_is_found_from_the_manifest_s_folder(raw_data: Path) -> None:
    assert read_file(image_paths([], [], str(raw_data)).find("left/1.jpg")) == b"left"


@pytest.mark.parametrize(
    "rest",
    [
        "../secret",
        "left/../../secret",
        "/etc/passwd",
        "link",
        "left\\1.jpg",
        "1.jpg\0",
        "./1.jpg",
        "",
    ],
)
@pytest.mark.parametrize("prefix", ["s3://b/", "plain"])
def test_nothing_outside_the_folder_is_read(raw_data: Path, prefix: str, rest: str) -> None:
    ref = rest if prefix == "plain" else prefix + rest
    found = image_paths([f"s3://b={raw_data}"], [ref], str(raw_data))
    with pytest.raises(Unusable) as refused:
        found.find(ref)
    assert refused.value.code == ("MT401" if ref == "" else "MT405")


@pytest.mark.parametrize("rest", ["a//1.jpg", "a///1.jpg"])
def test_slashes_that_a_copy_on_a_disk_does_not_have_are_no_hindrance(tmp_path: Path, rest: str) -> None:
    """S3 keeps a//b apart from a/b; what copies to a folder makes both a/b."""
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "1.jpg"
    path.write_bytes(b"x")
    found = where(f"s3://b={tmp_path}")
    assert (found.find(f"s3://b/{rest}"), found.size(f"s3://b/{rest}")) == (str(path), 1)


@pytest.mark.parametrize("rest", ["no.jpg", "left", "x" * 5000, "\ud800"])
def test_what_is_no_file_is_missing(raw_data: Path, rest: str) -> None:
    found = where(f"s3://b={raw_data}")
    with pytest.raises(Unusable) as missing:
        read_file(found.find(f"s3://b/{rest}"))
    assert missing.value.code == "MT401"
    assert found.size(f"s3://b/{rest}") is None or rest == "left"


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(Unusable) as found:
        read_file(str(large))
    assert found.value.code == "MT404"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        pytest.param("s3://b", "expected FROM=TO", id="no folder"),
        pytest.param("s3://b=", "expected a folder", id="an empty folder"),
        pytest.param("s3://b=./nowhere", "expected a folder, found none at ./nowhere", id="a folder amiss"),
        pytest.param("nowhere", "expected a folder", id="a bare folder amiss"),
        pytest.param(".", "in 2 buckets", id="a bare folder for two buckets"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(in_folder: Path, option: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        image_paths([option], ["s3://a/1.jpg", "s3://b/1.jpg"])


@pytest.mark.parametrize(
    ("refs", "shared"),
    [
        pytest.param([], "", id="no refs"),
        pytest.param(["s3://b/x/1", "s3://b/x/y/2", "s3://b/x/3"], "s3://b/x/", id="a folder"),
        pytest.param(["s3://b/xa", "s3://b/xb"], "s3://b/", id="half a name is no folder"),
        pytest.param(["s3://ba/1", "s3://bb/2"], "", id="two buckets"),
        pytest.param(["x/1.jpg"], "x/", id="a plain path"),
    ],
)
def test_the_folder_that_all_share(refs: list[str], shared: str) -> None:
    assert common_folder(refs) == shared


def copy_of(folder: Path, *names: str) -> Path:
    """Make files whose content is their name."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


KEYS = ("raw/2019/left/1.jpg", "raw/2019/left/2.jpg")


@pytest.mark.parametrize("start", ["s3://b/", ""])
@pytest.mark.parametrize("above", ["raw/2019/left/", "2019/left/", "left/", ""])
def test_a_bare_folder_may_stand_for_any_folder_of_the_keys(tmp_path: Path, start: str, above: str) -> None:
    copy = copy_of(tmp_path / "copy", f"{above}1.jpg", f"{above}2.jpg")
    found = image_paths([str(copy)], [start + key for key in KEYS], str(tmp_path))
    assert [found.find(start + key) for key in KEYS] == [
        str(copy / above / name) for name in ("1.jpg", "2.jpg")
    ]
    assert found.places(start + KEYS[0])[0] == str(copy / above / "1.jpg")  # so none is looked for twice


def test_the_folder_that_was_typed_comes_before_the_manifest_s(tmp_path: Path) -> None:
    copy_of(tmp_path, "a/1.jpg", "other/a/1.jpg", "a/2.jpg")
    found = image_paths([str(tmp_path / "other")], ["a/1.jpg", "a/2.jpg"], str(tmp_path))
    assert found.find("a/1.jpg") == str(tmp_path / "other" / "a" / "1.jpg")
    assert found.find("a/2.jpg") == str(tmp_path / "a" / "2.jpg")


def test_what_is_nowhere_is_told_with_the_places(tmp_path: Path) -> None:
    found = image_paths([str(tmp_path)], ["s3://b/raw/2019/1.jpg"])
    with pytest.raises(Unusable, match=r"expected .*/1.jpg, .*/2019/1.jpg, .*/raw/2019/1.jpg, found no such"):
        found.find("s3://b/raw/2019/1.jpg")


def test_a_key_of_a_thousand_folders_is_looked_for_in_a_few(tmp_path: Path) -> None:
    ref = f"s3://b/{'d/' * 400}1.jpg"
    copy_of(tmp_path, "1.jpg")
    found = image_paths([str(tmp_path)], [ref])
    assert found.find(ref) == str(tmp_path / "1.jpg")
    assert len(found.places(ref)) < 20


@settings(deadline=None, max_examples=50)
@example(["a/b.jpg", "a/a/b.jpg"])
@given(
    st.lists(
        st.from_regex(r"[ab]{1,2}(/[ab]{1,2}){0,3}\.jpg", fullmatch=True), min_size=1, max_size=8, unique=True
    )
)
def test_no_picture_is_taken_for_another_s(keys: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        copy = copy_of(Path(os.path.realpath(name)), *keys)
        found = image_paths([str(copy)], [f"s3://b/{key}" for key in keys])
        assert [Path(found.find(f"s3://b/{key}")).read_text() for key in keys] == keys


def test_any_number_of_refs_is_looked_at_once_and_few_are_remembered(tmp_path: Path) -> None:
    (tmp_path / "raw/left").mkdir(parents=True)
    (tmp_path / "raw/left/1.jpg").write_bytes(b"1")
    asked = 0

    def refs() -> Iterator[str]:
        nonlocal asked
        for number in range(100_000):
            asked += 1
            yield f"s3://bucket/2019/left/{number}.jpg"

    tracemalloc.start()
    try:
        found = image_paths([str(tmp_path / "raw")], refs())
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert asked == 100_000
    assert found.find("s3://bucket/2019/left/1.jpg") == str(tmp_path / "raw/left/1.jpg")


def test_refs_are_not_looked_at_where_no_folder_stands_alone(tmp_path: Path) -> None:
    refs = iter(["s3://bucket/1.jpg"])
    assert image_paths([f"s3://bucket={tmp_path}"], refs).covers("s3://bucket/1.jpg")
    assert next(refs) == "s3://bucket/1.jpg"
