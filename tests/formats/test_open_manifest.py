import json
import os
import string
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import NotAManifest, Refused
from manifest_tools.base.remarks import heard_by
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.formats.safe_names import safe_name
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.validate.validate import validate
from tests.pictures import jpeg

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]


def tree(folder: str | Path, *names: str) -> str:
    """Make small pictures, all different, and return the folder."""
    for number, name in enumerate(names):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))
    return str(folder)


def lines(name: str, classes: ClassTable | None = None) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for block in open_manifest(name, classes).blocks()
        for line in block.read().splitlines()
    ]


def labels(name: str, classes: ClassTable | None = None) -> dict[str, Any]:
    return {line["source-ref"]: line.get("label", line.get("kind")) for line in lines(name, classes)}


def remarks(name: str) -> list[str]:
    said: list[str] = []
    with heard_by(said.append):
        open_manifest(name)
    return said


PETS = ("cats/1.jpg", "cats/deep/2.JPG", "dogs/1.jpg")


def test_a_folder_a_class_is_a_manifest_in_sorted_order(in_folder: Path) -> None:
    tree("pictures", *reversed(PETS))
    assert labels("pictures") == {
        "pictures/cats/1.jpg": 0,
        "pictures/cats/deep/2.JPG": 0,
        "pictures/dogs/1.jpg": 1,
    }
    assert lines("pictures")[2] == {
        "source-ref": "pictures/dogs/1.jpg",
        "label": 1,
        "label-metadata": {"class-name": "dogs", "type": "groundtruth/image-classification"},
    }


@pytest.mark.parametrize("name", ["pictures", "./pictures/", "../here/pictures", "{}/pictures//"])
def test_refs_begin_with_the_folder_s_own_name(in_folder: Path, name: str) -> None:
    tree("here/pictures", *PETS)
    os.chdir("here")
    typed = name.format(os.getcwd())
    source = open_manifest(typed)
    assert list(labels(typed)) == [f"pictures/{name}" for name in PETS]
    assert (source.name, source.folder) == (typed.rstrip("/"), os.path.dirname(typed.rstrip("/")))


@pytest.mark.parametrize("name", [".", "..", "./"])
def test_refs_of_a_folder_without_a_name_begin_in_it(in_folder: Path, name: str) -> None:
    tree(".", *PETS)
    if name == "..":
        os.chdir("cats")
    assert list(labels(name)) == list(PETS)
    assert open_manifest(name).folder == name.rstrip("/")


def test_pictures_without_a_folder_have_no_label(in_folder: Path) -> None:
    tree("images", "2.png", "1.jpg")
    assert lines("images") == [{"source-ref": "images/1.jpg"}, {"source-ref": "images/2.png"}]
    tree("images", "cats/3.jpg", "dogs/3.jpg")
    assert labels("images")["images/1.jpg"] is None
    assert remarks("images") == ["images: 2 pictures in no folder of a class, without a label"]


def test_a_folder_without_folders_says_that_no_picture_has_a_label(in_folder: Path) -> None:
    tree("flat", "1.jpg", "2.jpg")
    assert remarks("flat") == ["flat: 2 pictures in no folder of a class, without a label"]


def test_what_is_no_picture_is_counted_and_what_is_hidden_is_not(in_folder: Path) -> None:
    tree(
        "pictures", *PETS, "cats/.hidden.jpg", ".git/1.jpg", "notes/a.txt", "cats/b.txt", "model/history.png"
    )
    Path("pictures/model/model.tar.gz").touch()
    assert list(labels("pictures")) == [f"pictures/{name}" for name in PETS]
    assert remarks("pictures") == [
        "pictures: left out: 1 model (model/), 2 other files (cats/b.txt, ...)",
    ]


def test_links_that_lead_out_are_not_followed(in_folder: Path) -> None:
    tree("secret", "1.jpg")
    tree("pictures", *PETS)
    Path("pictures/cats/out.jpg").symlink_to(in_folder / "secret" / "1.jpg")
    Path("pictures/cats/in.jpg").symlink_to("1.jpg")
    Path("pictures/loop").symlink_to(".")
    Path("pictures/others").symlink_to(in_folder / "secret")
    assert list(labels("pictures")) == [
        f"pictures/{name}" for name in ("cats/1.jpg", "cats/deep/2.JPG", "cats/in.jpg", "dogs/1.jpg")
    ]
    assert remarks("pictures") == [
        "pictures: left out: 2 linked folders (loop, ...), 1 outgoing link (cats/out.jpg)"
    ]


def test_a_folder_that_is_a_link_itself_is_looked_into(in_folder: Path, run: Run) -> None:
    tree("far/away", *PETS)
    Path("here").mkdir()
    Path("here/pictures").symlink_to(in_folder / "far" / "away")
    os.chdir("here")
    assert run("convert", "pictures", "--to", "recordio").exit_code == 0


def test_names_stay_as_their_bytes_say(in_folder: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    tree("pictures", f"{composed}/1.jpg", f"{decomposed}/1.jpg", "a\nb/\x1b[31m.jpg")
    assert list(labels("pictures")) == [
        "pictures/a\nb/\x1b[31m.jpg",
        f"pictures/{decomposed}/1.jpg",
        f"pictures/{composed}/1.jpg",
    ]


def test_names_that_no_manifest_can_hold(in_folder: Path) -> None:
    tree("pictures", *PETS, "cats/a\\b.jpg")
    assert remarks("pictures") == ["pictures: left out: 1 unusable name (cats/a\\b.jpg)"]
    os.makedirs(b"pictures/caf\xe9")
    Path(os.fsdecode(b"pictures/caf\xe9/1.jpg")).touch()
    with pytest.raises(Refused, match=r"expected names in UTF-8, found caf\\xe9/1.jpg; rename it"):
        open_manifest("pictures")


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        pytest.param(("train/a/1.jpg", "val/a/1.jpg"), "mtool train ds/train ds/val", id="parts"),
        pytest.param(
            ("test/a/1.jpg", "TRAIN/a/1.jpg", "valid/a/1.jpg"), "mtool train ds/TRAIN ds/valid", id="three"
        ),
        pytest.param(
            ("train/1.jpg", "test/1.jpg"), "found parts: 'test', 'train'", id="parts without classes"
        ),
        pytest.param(
            ("all/a/1.jpg", "all/b/1.jpg"), "found one, 'all', with others in it; type ds/all", id="deep"
        ),
        pytest.param(("a/notes.txt",), "expected a folder with pictures", id="no picture"),
        pytest.param(
            ("out.manifest", "raw/1.jpg"), "such as ds/out.manifest", id="a manifest and one folder"
        ),
        pytest.param(("out.manifest", "1.jpg"), "such as ds/out.manifest", id="a manifest among pictures"),
        pytest.param(("a.json", "images/1.jpg"), "mtool convert --from coco ds", id="COCO"),
    ],
)
def test_a_folder_that_is_something_else_is_refused_with_the_way_out(
    in_folder: Path, names: tuple[str, ...], hint: str
) -> None:
    tree("ds", *names)
    with pytest.raises(Refused) as refused:
        open_manifest("ds")
    assert hint in str(refused.value)


def test_folders_of_classes_say_more_than_a_manifest_beside_them(in_folder: Path) -> None:
    tree("ds", *PETS, "train.manifest", "split.json")
    assert len(lines("ds")) == 3


def test_a_class_may_be_called_test(in_folder: Path) -> None:
    assert labels(tree("ds", "test/1.jpg", "rest/1.jpg")) == {"ds/rest/1.jpg": 0, "ds/test/1.jpg": 1}


def test_indices_are_those_of_a_table_by_name(in_folder: Path) -> None:
    table = ClassTable(((0, "dogs"), (1, "cats")))
    tree("pictures", *PETS, "ants/1.jpg")
    found = {line["label-metadata"]["class-name"]: line["label"] for line in lines("pictures", table)}
    assert found == {"ants": 2, "cats": 1, "dogs": 0}


def test_what_is_a_file_is_opened_as_before(in_folder: Path) -> None:
    Path("a.manifest").write_text('{"source-ref": "s3://b/1.jpg"}\n')
    assert open_manifest("a.manifest").uri == "a.manifest"
    Path("a.txt").write_text("a,b\n1,2\n")
    with pytest.raises(NotAManifest, match="a CSV table; give it a name that ends in .csv"):
        open_manifest("a.txt")


NAMES = st.text(string.ascii_letters + string.digits + " .,'\u00e9\u732b", min_size=1, max_size=8).filter(
    lambda name: safe_name(name) == name
)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(NAMES, st.sets(NAMES, min_size=1, max_size=3), min_size=2, max_size=4))
def test_a_folder_that_is_read_is_written_as_the_same_folder(classes: dict[str, set[str]]) -> None:
    with TemporaryDirectory() as place:
        names = sorted(f"{name}/{picture}.jpg" for name, pictures in classes.items() for picture in pictures)
        if len({name.casefold() for name in names}) < len(names):
            return
        convert(tree(f"{place}/in", *names), "folder", f"{place}/out", jobs=1)
        written = sorted(str(path.relative_to(f"{place}/out")) for path in Path(place, "out").rglob("*.jpg"))
        assert written == names
        assert not [problem for problem in validate(f"{place}/in", jobs=1) if problem.severity == "error"]


def test_every_word_takes_a_folder(in_folder: Path, run: Run) -> None:
    tree("pictures", *(f"{name}/{number}.jpg" for name in ("cats", "dogs") for number in range(10)))
    assert run("validate", "pictures", "--strict").exit_code == 0
    assert "20 labelled" in run("stats", "pictures").stdout
    assert run("split", "pictures/").exit_code == 0
    assert run("filter", "pictures", "--class", "cats").stdout.count("\n") == 10
    assert run("merge", "train.manifest", "validation.manifest", "-o", "all.manifest").exit_code == 0
    assert run("diff", "pictures", "pictures/").exit_code == 0
    assert "gone" not in run("diff", "pictures", "all.manifest").stdout
    assert run("convert", "train.manifest", "--to", "recordio").exit_code == 0
    assert run("convert", "--from", "folder", "pictures").exit_code == 0
    assert Path("pictures.manifest").read_bytes() == run("filter", "pictures").stdout_bytes
    assert run("filter", "pictures", "-o", "kept/").exit_code == 0
    assert Path("kept/pictures.manifest").read_text().count("\n") == 20
    assert run("look", "pictures").exit_code == 0
    assert run("fetch", "pictures").exit_code == 0
    assert run("pipe", "pictures", "--dry-run").exit_code == 0
    assert run("validate", "train.manifest", "--objects").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("rewrite", "pictures", "--prefix", "s3://b"),
            "pictures cannot be rewritten in place; type -o FILE",
        ),
        (("validate", "pictures", "--fix"), "type: mtool filter pictures -o FILE"),
        (("convert", "pictures", "--to", "folder"), "would replace its own input"),
        (("convert", ".", "--to", "recordio"), "expected a place for the output; type -o NAME"),
        (("convert", "--from", "folder", "."), "expected a place for the manifest; type -o FILE"),
    ],
)
def test_nothing_is_written_into_the_folder(
    in_folder: Path, run: Run, words: tuple[str, ...], message: str
) -> None:
    tree("pictures", *PETS)
    tree(".", *PETS)
    result = run(*words)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_outputs_elsewhere_are_told_with_what_finds_their_pictures(in_folder: Path, run: Run) -> None:
    tree("data/pictures", *PETS)
    Path("parts").mkdir()
    said = run("filter", "data/pictures", "-o", "parts/a.manifest").stderr
    assert (
        "parts/a.manifest: names its pictures from the folder data; where they are opened, type --images data"
        in said
    )
    assert run("convert", "parts/a.manifest", "--to", "recordio", "-o", "x").exit_code == 2
    for folder in ("data", "data/pictures"):
        assert (
            run("convert", "parts/a.manifest", "--to", "recordio", "-o", folder, "--images", folder).exit_code
            == 0
        )
    assert "names its pictures" not in run("filter", "data/pictures", "-o", "data/a.manifest").stderr


def test_a_problem_names_the_picture(in_folder: Path, run: Run) -> None:
    tree("data/pictures", *PETS)
    Path("data/pictures/dogs/1.jpg").write_bytes(b"no picture")
    found = run("validate", "data/pictures", "--objects", "--format", "json").stdout
    assert json.loads(found)["file"] == "data/pictures/dogs/1.jpg"
    assert (
        "data/pictures/dogs/1.jpg: error MT402" in run("convert", "data/pictures", "--to", "recordio").stderr
    )


def test_sagemaker_s_preflight_asks_for_uris(in_folder: Path, run: Run) -> None:
    tree("pictures", *PETS)
    result = run("validate", "pictures", "--for", "builtin", "--select", "MT111")
    assert (result.exit_code, result.stdout.count("error MT111 source-ref: expected s3://bucket/key")) == (
        1,
        3,
    )


def test_a_coco_file_stands_where_a_manifest_is_named(in_folder: Path, run: Run) -> None:
    tree("pictures", *PETS)
    assert run("convert", "pictures", "--to", "coco", "-o", "a").exit_code == 0
    counts = json.loads(run("stats", "a.coco.json", "--json").stdout)
    assert {one["name"]: one["lines"] for one in counts["attributes"][0]["classes"]} == {"cats": 2, "dogs": 1}
    assert run("convert", "a.coco.json", "--to", "folder", "-o", "b").exit_code == 0


def two_classes(name: str) -> str:
    """Write a manifest of two classes, and make its pictures."""
    tree("raw", "1.jpg", "2.jpg")
    metadata = [{"class-name": side, "type": "groundtruth/image-classification"} for side in ("RH", "LH")]
    rows = [
        {"source-ref": f"s3://b/{number + 1}.jpg", "kind": number, "kind-metadata": metadata[number]}
        for number in range(2)
    ]
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def test_a_folder_with_a_list_and_its_pictures_has_the_classes_of_the_list(in_folder: Path) -> None:
    convert(two_classes("a.manifest"), "lst", "ds", images=["raw"])
    assert labels("ds") == {"ds/images/1.jpg": 0, "ds/images/2.jpg": 1}


def test_a_folder_of_which_no_folder_is_one_of_its_classes_is_of_another_format(
    in_folder: Path, run: Run
) -> None:
    convert(two_classes("a.manifest"), "lst", "ds", images=["raw"])
    done = run("convert", "--from", "folder", "ds", "-o", "back.manifest")
    assert (done.exit_code, Path("back.manifest").exists()) == (2, False)
    assert "for each of the classes of ds/classes.json, 'RH', 'LH', found 'images'" in done.stderr


@pytest.mark.parametrize("ending", ["csv", "label-studio.json"])
def test_a_folder_of_files_says_which_may_be_named(in_folder: Path, ending: str) -> None:
    Path("ds").mkdir()
    Path("ds", f"train.{ending}").write_text("")
    with pytest.raises(Refused, match=f"found a folder; type the name of a file in it: ds/train.{ending}"):
        open_manifest("ds")
