import io
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from PIL import Image

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats import npy
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from manifest_tools.io.sinks import publishing
from tests.data_sets import data_sets
from tests.pictures import jpeg, row, write_manifest
from tests.write_options import for_packing

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
TABLE = ClassTable(((0, "RH"), (2, "LH")))


def written(data: DataSet, output: Path, piece: int = 3) -> list[str]:
    with publishing(force=True) as publication:
        sink = Files(publication, str(output), ".images.npy")
        npy.write(data, sink, for_packing(data, png, piece=piece))
    return sorted(str(Path(one.path).relative_to(output.parent)) for one in publication.published)


def png(picture: Picture) -> bytes:
    """Return a picture that loses nothing, of 6 x 4 pixels, each other than the next."""
    out = io.BytesIO()
    Image.fromarray(pixels(picture.number)).save(out, "PNG")
    return out.getvalue()


def pixels(number: int, shape: tuple[int, ...] = (4, 6, 3)) -> Any:
    return (np.arange(np.prod(shape)) + number).astype(np.uint8).reshape(shape)


def data_of(*pictures: Picture) -> DataSet:
    return DataSet(TABLE, "single_label", {"": StreamedPictures(list(pictures).copy)})


def read(place: object, **options: Any) -> DataSet:
    return npy.read(str(place), ReadOptions(**options))


def decoded(picture: Picture) -> Any:
    assert picture.content is not None
    return np.asarray(Image.open(io.BytesIO(picture.content())))


@given(data_sets("single_label", "multi_label"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_there_and_back_has_the_same_pixels_classes_and_lines(tmp_path: Path, data: DataSet) -> None:
    assume(not any(name.endswith("\0") for _, name in data.table.names))
    place = Path(tempfile.mkdtemp(dir=tmp_path)) / "ds"
    written(data, place)
    back = read(place, classes=data.table)
    assert (back.table, back.label_kind) == (data.table, data.label_kind)
    for part, pictures in data.parts.items():
        found = list(back.parts[part])
        assert [one.key for one in found] == [str(one.number) for one in pictures]
        assert [set(one.classes) for one in found] == [set(one.classes) for one in pictures]
        for one in found:
            assert (decoded(one) == pixels(int(one.key))).all()


def test_the_arrays_are_what_numpy_reads_without_pickles(tmp_path: Path) -> None:
    data = data_of(Picture(3, "a", classes=(2,)), Picture(9, "b", classes=(0,)))
    files = ["ds.classes.npy", "ds.images.npy", "ds.labels.npy", "ds.numbers.npy"]
    assert written(data, tmp_path / "ds") == files
    found = [np.load(tmp_path / name, allow_pickle=False, mmap_mode="r") for name in files]
    assert [(array.dtype.str, array.shape) for array in found] == [
        ("<U7", (3,)),
        ("|u1", (2, 4, 6, 3)),
        ("<i8", (2,)),
        ("<i8", (2,)),
    ]
    assert found[0].tolist() == ["RH", "class 1", "LH"]
    assert (found[1] == np.stack([pixels(3), pixels(9)])).all()
    assert (found[2].tolist(), found[3].tolist()) == ([2, 0], [3, 9])


def test_several_classes_are_zeros_and_ones(tmp_path: Path) -> None:
    pictures = [Picture(1, "a", classes=(2, 0)), Picture(2, "b")]
    written(DataSet(TABLE, "multi_label", {"": StreamedPictures(pictures.copy)}), tmp_path / "ds")
    assert np.load(tmp_path / "ds.labels.npy").tolist() == [[1, 0, 1], [0, 0, 0]]


def test_pieces_of_any_size_make_the_same_arrays(tmp_path: Path) -> None:
    data = data_of(*(Picture(number, "a", classes=(0,)) for number in range(1, 12)))
    contents = set()
    for piece in (1, 4, 100):
        names = written(data, tmp_path / "ds", piece)
        contents.add(tuple((tmp_path / name).read_bytes() for name in names))
    assert len(contents) == 1


def test_pictures_of_two_sizes_are_refused_with_what_to_type(tmp_path: Path) -> None:
    data = data_of(*(Picture(number, "a", classes=(0,)) for number in (1, 2)))
    with (
        publishing() as publication,
        pytest.raises(Refused, match="found 10 x 5 and 20 x 5 .*--resize N --square"),
    ):
        sink = Files(publication, str(tmp_path / "ds"), ".images.npy")
        npy.write(data, sink, for_packing(data, lambda one: jpeg(1, (10 * one.number, 5))))


def test_a_stream_that_cannot_go_back_gets_the_same_bytes(tmp_path: Path) -> None:
    from manifest_tools.io.npy_files import RowWriter

    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

    contents = []
    for stream in (io.BytesIO(), OneWay()):
        writer = RowWriter(stream, "<i8")
        for number in range(3):
            writer.write(np.int64(number).tobytes())
        assert writer.close() == len(stream.getvalue())
        contents.append(stream.getvalue())
    assert contents[0] == contents[1]
    assert np.load(io.BytesIO(contents[0])).tolist() == [0, 1, 2]


def test_a_turned_picture_is_turned(tmp_path: Path) -> None:
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(pixels(0)).save(out, "PNG", exif=exif)
    data = data_of(Picture(1, "a", classes=(0,)))
    with publishing() as publication:
        sink = Files(publication, str(tmp_path / "ds"), ".images.npy")
        npy.write(data, sink, for_packing(data, lambda one: out.getvalue()))
    assert (np.load(tmp_path / "ds.images.npy")[0] == np.rot90(pixels(0), -1)).all()


# ---- what others write ----


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_npz_of_the_field_has_parts(tmp_path: Path, save: Any, names: tuple[str, ...]) -> None:
    grey, labels = np.stack([pixels(0, (4, 6)), pixels(1, (4, 6))]), np.array([[1], [0]])
    save(tmp_path / "a.npz", **dict(zip(names, (grey, labels, grey[:1], labels[:1].ravel()), strict=True)))
    data = read(tmp_path / "a.npz")
    assert {part: [one.classes for one in found] for part, found in data.parts.items()} == {
        "train": [(1,), (0,)],
        "test": [(1,)],
    }
    first, second = data.parts["train"]
    assert (decoded(second) == pixels(1, (4, 6))).all() and first.ref == "train-00000001.png"
    assert pickle.loads(pickle.dumps(first)) == first
    assert data.table.names == ((0, "class 0"), (1, "class 1"))


def test_names_as_labels_are_numbered_as_sorted_or_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=pixels(0, (3, 4, 6, 3)), labels=np.array(["dog", "ant", ""]))
    data = read(tmp_path / "a.npz")
    assert data.table.names == ((0, "ant"), (1, "dog"))
    assert [one.classes for one in data.parts[""]] == [(1,), (0,), ()]
    told = read(tmp_path / "a.npz", classes=ClassTable(((0, "dog"), (4, "ant"))), source_prefix="s3://b/x")
    assert [(one.classes, one.ref) for one in told.parts[""]][0] == ((0,), "s3://b/x/a-00000001.png")


def test_pictures_without_labels_have_none(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels(0, (2, 4, 6, 1)))
    assert [one.classes for one in read(tmp_path / "x.npy").parts[""]] == [(), ()]


def test_two_parts_that_name_one_index_twice_are_refused(tmp_path: Path) -> None:
    for part, names in (("train", ["a", "b"]), ("val", ["b", "a"])):
        np.save(tmp_path / f"{part}.images.npy", pixels(0, (2, 4, 6, 3)))
        np.save(tmp_path / f"{part}.labels.npy", np.array([0, 1]))
        np.save(tmp_path / f"{part}.classes.npy", np.array(names))
    with pytest.raises(ClassConflict, match="disagree: class 0 has two names"):
        read(tmp_path)


class Evil:
    def __reduce__(self) -> Any:
        return (exec, ("open('ran', 'w').close()",))


def evil(path: Path, **arrays: Any) -> None:
    np.savez(path, **arrays)


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a pickle": ("a.pkl", lambda: pickle.dumps(Evil()), "a pickle can run any program"),
    "a pickle under another name": ("a.npy", lambda: pickle.dumps(Evil()), "a pickle can run any program"),
    "torch": ("a.pt", lambda: b"PK\x03\x04", "torch.load('a.pt', weights_only=True)"),
    "objects": ("a.npy", lambda: saved(np.array([Evil()], dtype=object)), "an array of objects is a pickle"),
    "objects in a .npz": ("a.npz", lambda: zipped(images=np.array([Evil()], dtype=object)), "is a pickle"),
    "no array": ("a.npy", lambda: b"x" * 200, "expected a .npy file"),
    "no .npz": ("a.npz", lambda: b"x" * 200, "expected a .npz file"),
    "cut off": ("a.npy", lambda: saved(pixels(0, (2, 4, 6, 3)))[:-1], "its header says 144 bytes"),
    "a shape that lies": ("a.npy", lambda: lying((10**9, 10**9)), "its header says"),
    "a negative shape": ("a.npy", lambda: lying((-1, 4)), "expected a shape, found (-1, 4)"),
    "floats": ("a.npy", lambda: saved(np.zeros((1, 4, 6, 3))), "(x * 255).round().astype('uint8')"),
    "channels second": ("a.npy", lambda: saved(pixels(0, (1, 3, 4, 6))), "x.transpose(0, 2, 3, 1)"),
    "Fortran's order": (
        "a.npy",
        lambda: saved(np.asfortranarray(pixels(0, (2, 4, 6, 3)))),
        "ascontiguousarray",
    ),
    "no pictures": ("a.npz", lambda: zipped(weights=np.zeros(3)), "expected an array of pictures"),
    "one row": ("a.npy", lambda: saved(pixels(0, (4, 6))), "expected (pictures, height, width, 3)"),
    "other rows": (
        "a.npz",
        lambda: zipped(images=pixels(0, (2, 4, 6, 3)), labels=np.array([1])),
        "expected 2 rows, as",
    ),
    "labels of fractions": (
        "a.npz",
        lambda: zipped(images=pixels(0, (1, 4, 6, 3)), labels=np.array([0.5])),
        "expected class indices or names, found float64 of 1",
    ),
    "names of no text": (
        "a.npz",
        lambda: zipped(images=pixels(0, (1, 4, 6, 3)), labels=np.array([0]), classes=np.array([7])),
        "expected names of classes as text",
    ),
    "two of a kind": (
        "a.npz",
        lambda: zipped(images=pixels(0, (1, 4, 6, 3)), x=pixels(0, (1, 4, 6, 3))),
        "expected one array of images, found two",
    ),
    "a header that does not end": ("a.npy", lambda: headed("{'descr': ("), "expected a .npy file"),
    "a header with a backslash": ("a.npy", lambda: headed("{'descr': \\q"), "expected a .npy file"),
    "a header of Python 2 with bad escapes": ("a.npy", lambda: headed("'\\q', 3L"), "expected a .npy file"),
    "a header of 4 GB": (
        "a.npy",
        lambda: b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(10**5),
        "expected a .npy file",
    ),
    "a huge index": (
        "a.npz",
        lambda: zipped(images=pixels(0, (1, 4, 6, 3)), labels=np.array([10**9])),
        "expected class indices from 0",
    ),
}


def saved(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def zipped(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def lying(shape: tuple[int, ...]) -> bytes:
    return headed(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}")


def headed(text: str) -> bytes:
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(10)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gives_a_sentence_and_runs_nothing(in_folder: Path, name: str) -> None:
    file, content, message = HOSTILE[name]
    Path(file).write_bytes(content())
    with pytest.raises((BadData, Refused)) as caught:
        read(file)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not Path("ran").exists()


def test_a_picture_that_no_memory_should_hold_is_refused(in_folder: Path) -> None:
    Path("a.npy").write_bytes(
        headed("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 40000, 25000), }")
    )
    os.truncate("a.npy", Path("a.npy").stat().st_size - 10 + 40000 * 25000)
    with pytest.raises(BadData, match="expected pictures of at most"):
        read("a.npy")


def test_what_is_typed_in_place_of_a_pickle_works(in_folder: Path) -> None:
    import shlex
    import subprocess
    import sys

    with open("a.pkl", "wb") as file:
        pickle.dump({"images": pixels(0, (2, 4, 6, 3)), "labels": [1, 0]}, file)
    with pytest.raises(Refused) as caught:
        read("a.pkl")
    words = shlex.split(str(caught.value).partition("type: ")[2])
    subprocess.run([sys.executable, *words[1:]], check=True)
    assert [one.classes for one in read("arrays.npz").parts[""]] == [(1,), (0,)]


# ---- through the command ----


def test_a_manifest_becomes_arrays_and_comes_back(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    for number in range(5):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number, (60, 40 + number)))
    write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(5)])
    words = ("convert", "train.manifest", "--to", "npy", "--images", "raw", "-o", "ds")
    result = run(*words, "--allow-loss")
    assert result.exit_code == 2 and "--resize N --square" in result.stderr
    assert run(*words, "--resize", "16", "--square", "-j", "2", "--side-car").exit_code == 0
    assert np.load("ds.images.npy").shape == (5, 16, 16, 3)
    assert run("convert", "--from", "npy", "ds.images.npy", "-o", "back.manifest").exit_code == 0
    assert Path("back.manifest").read_bytes() == Path("train.manifest").read_bytes()
