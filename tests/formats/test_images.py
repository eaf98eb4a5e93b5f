import json
import os
import unicodedata
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.base.remarks import heard_by
from manifest_tools.formats.images import read
from manifest_tools.formats.protocol import ReadOptions
from tests.pictures import jpeg

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]
NO_OPTIONS = ReadOptions()


def refs(place: str | Path, options: ReadOptions = NO_OPTIONS) -> list[str]:
    return [picture.ref for picture in read(str(place), options).parts[""]]


def fill(folder: Path, *names: str, data: bytes = b"\xff") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def objects(s3: "S3Client", *keys: str, data: bytes = b"\xff") -> None:
    s3.create_bucket(Bucket="raw")
    for key in keys:
        s3.put_object(Bucket="raw", Key=key, Body=data)


def test_a_folder_is_named_by_its_paths_in_order(tmp_path: Path) -> None:
    fill(tmp_path, "pictures/b/1.jpg", "pictures/a/1.jpg", "pictures/a.PNG", "pictures/a-b/2.jpeg")
    assert refs(tmp_path / "pictures") == [
        "pictures/a-b/2.jpeg",
        "pictures/a.PNG",
        "pictures/a/1.jpg",
        "pictures/b/1.jpg",
    ]
    with_prefix = refs(tmp_path / "pictures", ReadOptions("s3://bucket/raw/"))
    assert with_prefix[0] == "s3://bucket/raw/a-b/2.jpeg"


NAMES = st.text("ab.-#% é", min_size=1, max_size=3).filter(lambda name: name.strip(".") == name)


@given(st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=6))
def test_folders_are_sorted_as_keys_in_s3_are(paths: set[str]) -> None:
    with TemporaryDirectory() as folder:
        fill(Path(folder), *(f"{path}/x.jpg" for path in paths), "y.jpg")
        expected = sorted((*(f"{path}/x.jpg" for path in paths), "y.jpg"), key=str.encode)
        start = f"{os.path.basename(folder)}/"
        assert refs(folder) == [start + path for path in expected]


def test_odd_names_stay_as_they_are(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "café 1#%.jpg")
    fill(tmp_path, f"p/{decomposed}")
    assert refs(tmp_path / "p") == [f"p/{decomposed}"]


def test_what_a_labelling_job_cannot_show_is_left_out_and_counted(tmp_path: Path) -> None:
    fill(tmp_path, "p/1.jpg", "p/2.gif", "p/3.svg", "p/.hidden/4.jpg", "p/._1.jpg", "p/a\\b.jpg")
    fill(tmp_path, "p/5.jpg", data=b"")
    fill(tmp_path, "elsewhere/6.jpg")
    (tmp_path / "p/out.jpg").symlink_to(tmp_path / "elsewhere/6.jpg")
    (tmp_path / "p/round").symlink_to(tmp_path / "p")
    said: list[str] = []
    with heard_by(said.append):
        assert refs(tmp_path / "p") == ["p/1.jpg"]
    assert said[0].endswith(
        "left out: 1 empty file (5.jpg), 1 hidden file (._1.jpg), 1 linked folder (round),"
        " 2 other files (2.gif, ...), 1 outgoing link (out.jpg), 1 unusable name (a\\b.jpg)"
    )


def test_a_prefix_in_s3_is_a_folder(s3: "S3Client") -> None:
    objects(s3, "raw/", "raw/b 1.jpg", "raw/a//1.JPG", "raw/notes.txt", "raw2/3.jpg", "raw/.x.jpg")
    assert refs("s3://raw/raw") == refs("s3://raw/raw/") == ["s3://raw/raw/a//1.JPG", "s3://raw/raw/b 1.jpg"]
    assert refs("s3://raw") == [*refs("s3://raw/raw"), "s3://raw/raw2/3.jpg"]


def test_a_listing_is_taken_page_by_page(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    from manifest_tools.io import s3 as ours

    pages = [[ours.Listed(f"k/{page}{n}.jpg", 1, "", datetime.min) for n in range(2)] for page in range(3)]
    taken: list[int] = []

    def listed(bucket: str, prefix: str) -> Any:
        for number, page in enumerate(pages):
            taken.append(number)
            yield page

    monkeypatch.setattr(ours, "listed", listed)
    pictures = iter(read("s3://raw/k", NO_OPTIONS).parts[""])
    assert next(pictures).ref == "s3://raw/k/00.jpg"
    assert taken == [0]
    assert len(list(pictures)) == 5


@pytest.mark.parametrize(
    ("place", "options", "kind", "message"),
    [
        pytest.param("nowhere", NO_OPTIONS, Refused, "expected a folder of pictures, or s3:", id="nowhere"),
        pytest.param("s3://", NO_OPTIONS, Refused, "expected a folder of pictures, or s3:", id="no bucket"),
        pytest.param("empty", NO_OPTIONS, BadData, "expected pictures .*, found none$", id="nothing"),
        pytest.param("texts", NO_OPTIONS, BadData, "found none; found 1 other file", id="no pictures"),
        pytest.param("s3://raw", ReadOptions("s3://b"), Refused, "in S3 already", id="a prefix twice"),
        pytest.param("texts", ReadOptions(label_attribute="x"), Refused, "no labels; leave", id="a label"),
    ],
)
def test_what_cannot_be_a_list_of_pictures_is_refused_in_one_line(
    in_folder: Path, place: str, options: ReadOptions, kind: type[MtoolError], message: str
) -> None:
    Path("empty").mkdir()
    fill(in_folder, "texts/1.txt")
    with pytest.raises(kind, match=message) as refused:
        refs(place, options)
    assert "\n" not in str(refused.value)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"\xff")
    with pytest.raises(Refused, match=r"expected names in UTF-8, found caf\\xe9.jpg"):
        refs(tmp_path)


def test_the_command_writes_the_input_of_a_labelling_job(in_folder: Path, run: Run) -> None:
    fill(in_folder, "pictures/1.jpg", "pictures/2.jpg", data=jpeg(1))
    fill(in_folder, "pictures/readme.txt")
    done = run("convert", "--from", "images", "pictures", "-o", "in.manifest", "--source-prefix", "s3://b/p")
    assert done.exit_code == 0
    assert "pictures: left out: 1 other file (readme.txt)" in done.stderr
    assert [json.loads(line) for line in Path("in.manifest").read_bytes().splitlines()] == [
        {"source-ref": "s3://b/p/1.jpg"},
        {"source-ref": "s3://b/p/2.jpg"},
    ]
    assert run("validate", "in.manifest").exit_code == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_and_a_link_to_nothing_are_no_pictures(in_folder: Path, run: Run) -> None:
    fill(in_folder, "pictures/a/1.jpg", "pictures/b/2.jpg")
    os.mkfifo("pictures/a/pipe.jpg")
    os.symlink("nowhere.jpg", "pictures/a/gone.jpg")
    for form in ("images", "folder"):
        done = run("convert", "--from", form, "pictures", "-o", f"{form}.manifest")
        assert done.exit_code == 0, done.stderr
        assert Path(f"{form}.manifest").read_text().count("source-ref") == 2
        assert "pipe.jpg" in done.stderr and "gone.jpg" in done.stderr
