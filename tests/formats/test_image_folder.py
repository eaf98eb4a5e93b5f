import json
import os
import stat
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Exists, Refused
from manifest_tools.formats.safe_names import UniqueNames, safe_name
from manifest_tools.verbs.convert.convert import convert
from tests.pictures import jpeg, row, write_manifest


def manifest_of(folder: Path, *lines: tuple[str, int, str]) -> str:
    """Write a manifest of keys, class indices and class names, and a picture for every key in ./raw."""
    rows = []
    for number, (key, index, name) in enumerate(lines):
        value = row(key, 0)
        value["part"], value["part-metadata"]["class-name"] = index, name
        rows.append(value)
        path = folder / "raw" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))
    return write_manifest(folder / "train.manifest", rows)


def to_folder(manifest: str | list[str], **options: Any) -> Any:
    return convert(manifest, "folder", "out", images=["s3://raw=raw"], **options)


def tree(folder: str | Path) -> list[str]:
    """Return the files of a folder, without what stands there beside pictures."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in files if path.suffix not in (".json", ".jsonl"))


@pytest.fixture
def parts(in_folder: Path) -> str:
    return manifest_of(in_folder, ("1.jpg", 0, "RH"), ("2.jpg", 1, "LH"), ("3.jpg", 0, "RH"))


def test_every_class_has_a_folder_with_the_very_bytes(parts: str) -> None:
    done = to_folder(parts)
    assert tree("out") == ["LH/2.jpg", "RH/1.jpg", "RH/3.jpg"]
    assert Path("out/RH/3.jpg").read_bytes() == Path("raw/3.jpg").read_bytes()
    assert [(output.path, output.state) for output in done.outputs] == [
        ("out", "written"),
        ("out.json", "written"),
    ]
    assert json.loads(Path("out.json").read_text())["folders"] == {"0": "RH", "1": "LH"}


def test_a_folder_of_shrunk_pictures_is_one_of_jpegs(in_folder: Path) -> None:
    to_folder(manifest_of(in_folder, ("1.png", 0, "RH")), resize=16)
    assert tree("out") == ["RH/1.jpg"]


def test_links_share_the_file(parts: str) -> None:
    to_folder(parts, link=True)
    assert os.path.samefile("out/RH/3.jpg", "raw/3.jpg")
    assert not Path("out/RH/3.jpg").is_symlink()


def test_a_new_folder_is_as_open_as_any_other(parts: str, in_folder: Path) -> None:
    to_folder(parts)
    (in_folder / "other").mkdir()
    assert stat.S_IMODE(os.stat("out").st_mode) == stat.S_IMODE(os.stat("other").st_mode)


def test_two_pictures_of_one_name_do_not_overwrite_each_other(in_folder: Path) -> None:
    manifest = manifest_of(
        in_folder, ("a/1.jpg", 0, "RH"), ("b/1.jpg", 0, "RH"), ("c/1.JPG", 0, "RH"), ("d/1-2.jpg", 0, "RH")
    )
    to_folder(manifest)
    assert tree("out") == ["RH/1-2-4.jpg", "RH/1-2.jpg", "RH/1-3.JPG", "RH/1.jpg"]
    assert len({Path("out", name).read_bytes() for name in tree("out")}) == 4


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        pytest.param(["../x"], ["_._x"], id="upwards"),
        pytest.param(["/etc"], ["_etc"], id="from the root"),
        pytest.param(["a/b", "a\\b"], ["a_b", "a_b-1"], id="with separators, two alike"),
        pytest.param(["", " ", "."], ["class 0", "class 1", "class 2"], id="nothing in them"),
        pytest.param(["RH", "rh", "Rh"], ["RH", "rh-1", "Rh-2"], id="told apart by capitals alone"),
        pytest.param(["é", "e\u0301"], ["é", "é-1"], id="told apart by how an accent is spelt"),
        pytest.param(["nul", "COM1.txt"], ["_nul", "_COM1.txt"], id="names of devices"),
        pytest.param(["a\x1b[31m\n"], ["a_[31m_"], id="terminal escapes"),
        pytest.param(["x" * 300], ["x" * 100], id="too long for a file system"),
        pytest.param(["ä" * 300], ["ä" * 50], id="too long in bytes"),
        pytest.param([".hidden", "-rf", "~"], ["_hidden", "_rf", "_"], id="hidden, options, homes"),
    ],
)
def test_class_names_become_safe_and_unique(in_folder: Path, names: list[str], folders: list[str]) -> None:
    lines = [(f"{index}.jpg", index, name) for index, name in enumerate(names)]
    to_folder(manifest_of(in_folder, *lines))
    assert tree("out") == sorted(f"{folder}/{index}.jpg" for index, folder in enumerate(folders))
    assert sorted(os.listdir(in_folder)) == ["out", "out.json", "raw", "train.manifest"]


@given(st.text(max_size=150))
def test_no_name_is_a_path_or_too_long(text: str) -> None:
    name = safe_name(text)
    assert name and name not in (".", "..")
    assert len(name.encode()) <= 101
    assert not set(name) & set('/\\:*?"<>|\0')
    assert name.isprintable() and name == name.strip() and name[0] not in ".-"


@given(st.lists(st.tuples(st.text("aA1-", max_size=3), st.integers(1, 3)), max_size=20))
def test_names_are_never_given_twice(asked: list[tuple[str, int]]) -> None:
    names = UniqueNames()
    given_out = [names.unique(stem, ".jpg", number).casefold() for stem, number in asked]
    assert len(set(given_out)) == len(asked)


@given(st.text(string.ascii_letters + string.digits + "_ ", min_size=1, max_size=90).map(str.strip))
def test_an_ordinary_name_stays(text: str) -> None:
    if text and text.lower() not in ("con", "prn", "aux", "nul") and text[:3].lower() not in ("com", "lpt"):
        assert safe_name(text) == text


def test_a_name_without_an_ending_is_given_the_picture_s(in_folder: Path) -> None:
    to_folder(manifest_of(in_folder, ("photo", 0, "RH"), ("p.exe", 0, "RH")))
    assert tree("out") == ["RH/p.exe.jpg", "RH/photo.jpg"]


def test_pictures_that_cannot_be_used_are_left_out(parts: str) -> None:
    Path("raw/1.jpg").write_bytes(b"")
    Path("raw/3.jpg").unlink()
    done = to_folder(parts)
    assert [(problem.line, problem.code) for problem in done.problems] == [(1, "MT402"), (3, "MT401")]
    assert (tree("out"), os.listdir("out/RH")) == (["LH/2.jpg"], [])


def test_a_class_without_a_picture_in_a_part_keeps_its_folder_and_the_others_their_numbers(
    in_folder: Path,
) -> None:
    all_classes = [("1.jpg", 0, "a"), ("2.jpg", 1, "b"), ("3.jpg", 2, "c")]
    train = manifest_of(in_folder, *all_classes)
    os.rename(train, "all.manifest")
    validation = manifest_of(in_folder, ("3.jpg", 2, "c"))
    done = to_folder(["all.manifest", validation])
    beside = ["a", "b", "c", "metadata.jsonl"]
    assert sorted(os.listdir("out/all")) == sorted(os.listdir("out/train")) == beside
    assert done.remarks == (
        "no picture in train of 'a', 'b': an empty folder keeps the numbers of the others; torchvision's"
        " ImageFolder takes it with allow_empty=True",
    )
    assert to_folder(["all.manifest", validation]).outputs[0].state == "unchanged"
    os.rmdir("out/train/a")
    with pytest.raises(Exists):
        to_folder(["all.manifest", validation])


@pytest.mark.parametrize(
    ("names", "example"),
    [
        pytest.param(["a", "b", "c"], "", id="in order"),
        pytest.param(["RH", "LH"], "('LH' 0, not 1)", id="right before left"),
        pytest.param([str(n) for n in range(11)], "('10' 2, not 10)", id="numbers, sorted as texts"),
        pytest.param(["a", "B"], "('B' 0, not 1)", id="capitals come first"),
    ],
)
def test_sorted_names_in_another_order_than_the_indices_are_said(
    in_folder: Path, names: list[str], example: str
) -> None:
    done = to_folder(manifest_of(in_folder, *((f"{n}.jpg", n, name) for n, name in enumerate(names))))
    expected = (
        f"readers number classes by sorted names, so they get other numbers than in the manifest {example}"
    )
    assert [remark.partition(":")[0] for remark in done.remarks] == ([expected] if example else [])


def test_several_labels_are_refused(in_folder: Path) -> None:
    (in_folder / "raw").mkdir()
    manifest = write_manifest(in_folder / "m", [row("1.jpg", [0, 1])])
    with pytest.raises(Refused, match="several classes.*type --to recordio"):
        to_folder(manifest)


def test_the_same_again_is_unchanged(parts: str) -> None:
    to_folder(parts)
    assert {output.state for output in to_folder(parts).outputs} == {"unchanged"}


def test_another_folder_in_the_place_is_left_alone(parts: str, in_folder: Path) -> None:
    to_folder(parts)
    Path("raw/1.jpg").write_bytes(jpeg(99))
    with pytest.raises(Exists, match="out"):
        to_folder(parts)
    assert Path("out/RH/1.jpg").read_bytes() == jpeg(0)
    to_folder(parts, force=True)
    assert Path("out/RH/1.jpg").read_bytes() == jpeg(99)
    assert sorted(os.listdir(in_folder)) == ["out", "out.json", "raw", "train.manifest"]


def test_force_never_replaces_what_mtool_did_not_make(parts: str) -> None:
    Path("out").mkdir()
    Path("out/thesis.tex").write_text("years of work")
    with pytest.raises(Refused, match="not made by mtool"):
        to_folder(parts, force=True)
    assert os.listdir("out") == ["thesis.tex"]


def test_an_empty_folder_is_taken(parts: str) -> None:
    Path("out").mkdir()
    assert to_folder(parts).pictures == 3
    assert len(tree("out")) == 3


def test_another_report_in_the_place_stops_the_run_before_anything_is_there(
    parts: str, in_folder: Path
) -> None:
    Path("out.json").write_text("{}")
    with pytest.raises(Exists, match="out.json"):
        to_folder(parts)
    assert sorted(os.listdir(in_folder)) == ["out.json", "raw", "train.manifest"]


def test_a_failure_on_the_way_leaves_no_trace(parts: str, in_folder: Path) -> None:
    def fetch(uri: str) -> bytes:
        if uri.endswith("3.jpg"):
            raise ConnectionError("the network is gone")
        return jpeg(1)

    with pytest.raises(ConnectionError):
        convert(parts, "folder", "out", fetch=fetch)
    assert sorted(os.listdir(in_folder)) == ["raw", "train.manifest"]
