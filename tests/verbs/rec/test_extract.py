import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.io.recordio import ImageRecord
from manifest_tools.verbs.rec.extract import rec_extract
from tests.formats.test_recordio_in_mxnet import IM2REC
from tests.record_files import PICTURES, image_records, write_rec

if TYPE_CHECKING:
    from typer.testing import Result


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_pictures_get_the_names_of_the_list(tmp_path: Path) -> None:
    done = rec_extract(write_rec(tmp_path / "a.rec", image_records(4)))
    found = files(tmp_path / "a")
    assert found.pop("a.lst") == (tmp_path / "a.lst").read_bytes()
    assert found == {f"kind{at % 3}/IMG_{at}.JPG": PICTURES[at] for at in range(4)}
    assert (done.pictures, done.renamed, done.left_out) == (4, 0, 0)


def test_without_a_list_pictures_are_called_by_their_numbers(tmp_path: Path) -> None:
    made = [*image_records(2, first=7), *image_records(1, first=7)]
    rec_extract(write_rec(tmp_path / "a.rec", made, names=None), tmp_path / "out")
    assert sorted(files(tmp_path / "out")) == ["7-3.jpg", "7.jpg", "8.jpg", "a.lst"]
    assert (tmp_path / "out" / "a.lst").read_text().splitlines()[2] == "7\t0.000000\t7-3.jpg"


def test_labels_go_into_the_list_as_exactly_as_a_record_has_them(tmp_path: Path) -> None:
    labels = (2.0, 5.0, 0.0, 0.1, 1 / 3, 0.5, 2**-30)
    rec_extract(write_rec(tmp_path / "a.rec", image_records(1, labels=[labels]), names=None))
    row = (tmp_path / "a" / "a.lst").read_text().split("\t")[1:-1]
    assert row[:4] == ["2.000000", "5.000000", "0.000000", "0.100000"]
    assert [float(one) for one in row] == pytest.approx(labels, rel=2**-24)


HOSTILE = [
    "../../x.jpg",
    "/etc/passwd",
    "C:\\x.jpg",
    "a//b.jpg",
    "./c.jpg",
    "a.lst",
    "con.jpg",
    "x" * 300 + ".jpg",
    "d/" * 40 + "e.jpg",
    "d",
    "A/B.jpg",
    "nul\0.jpg",
    ".hidden",
    "e\u0301.jpg",
    "\u00e9.jpg",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(names=st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1)), min_size=1, max_size=6))
def test_whatever_the_list_says_every_picture_is_in_the_folder(in_folder: Path, names: list[str]) -> None:
    path = in_folder / "a.rec"
    made = image_records(len(names))
    write_rec(path, made, names=None)
    rows = (
        f"{at}\t{one.labels[0]:g}\t{name}\n" for at, (one, name) in enumerate(zip(made, names, strict=True))
    )
    path.with_suffix(".lst").write_bytes("".join(rows).encode("utf-8", "surrogatepass"))
    rec_extract(path, in_folder / "out", force=True)
    assert sorted(os.listdir(in_folder)) == ["a.idx", "a.lst", "a.rec", "out", "out.json"]
    found = files(in_folder / "out")
    listed = found.pop("a.lst").decode().split("\n")[:-1]
    assert [found[row.split("\t")[-1]] for row in listed] == [one.picture for one in made]
    assert len(found) == len(made)


def test_a_record_without_a_picture_is_left_out_and_told(
    run: "Callable[..., Result]", in_folder: Path
) -> None:
    made = [ImageRecord(0, (1.0, 5.0), b"", vector=True), *image_records(2, first=1)]
    write_rec(Path("a.rec"), made, names=None)
    assert run("rec", "extract", "a.rec").exit_code == 0  # what describes the others has none
    made[1] = ImageRecord(1, (0.0,), b"<html>")
    write_rec(Path("b.rec"), made, names=None)
    done = run("rec", "extract", "b.rec", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["left_out"] == 1
    assert "1 record without a picture left out" in done.stderr
    write_rec(Path("c.rec"), made[:2], names=None)
    with pytest.raises(BadData, match="no record has a picture"):
        rec_extract("c.rec")
    assert not Path("c").exists()


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    path = write_rec(tmp_path / "a.rec", image_records(2))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(Refused, match="not made by mtool"):
        rec_extract(path, tmp_path / "out", force=True)
    assert list(files(tmp_path / "out")) == ["mine"]


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(None, id="classes"),
        pytest.param([(2.0, 5.0, 1.0, 0.1, 1 / 3, 0.5, 0.75)] * 4, id="boxes"),
    ],
)
def test_im2rec_packs_the_very_same_file_of_it(
    in_folder: Path, mxnet: Any, labels: list[tuple[float, ...]] | None
) -> None:
    pytest.importorskip("cv2")
    write_rec(Path("a.rec"), image_records(4, labels=labels))
    rec_extract("a.rec", "out")
    script = Path(mxnet.__file__).parent / "tools" / "im2rec.py"
    command = [sys.executable, "-c", IM2REC, str(script), "--pass-through", "--pack-label", "out/a", "out"]
    subprocess.run(command, check=True, capture_output=True)
    for ending in ("rec", "idx"):
        assert Path(f"out/a.{ending}").read_bytes() == Path(f"a.{ending}").read_bytes()
