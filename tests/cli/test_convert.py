import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.formats.table import WRITTEN
from manifest_tools.io.recordio import read_records
from tests.ground_truth import FAILED, boxes, lines_of, write
from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture
def parts(in_folder: Path) -> str:
    """A manifest of 30 pictures in two classes, which lie in ./raw-data."""
    (in_folder / "raw-data").mkdir()
    for number in range(30):
        (in_folder / "raw-data" / f"{number}.jpg").write_bytes(jpeg(number))
    write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(30)])
    return "train.manifest"


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


def made(folder: Path) -> list[str]:
    return sorted(
        name for name in os.listdir(folder) if name.startswith("train") and name != "train.manifest"
    )


def test_recordio_is_written_and_said(parts: str, in_folder: Path, run: Run) -> None:
    result = run("convert", parts, "--to", "recordio", "-o", "train", "--images", "s3://raw=./raw-data")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "30 pictures of 2 classes: train.rec (written), train.idx (written), train.lst (written),"
        " train.json (written)\n"
    )
    assert made(in_folder) == ["train.idx", "train.json", "train.lst", "train.rec"]


def test_the_same_again_is_unchanged(parts: str, run: Run) -> None:
    words = ("convert", parts, "--to", "recordio", "--images", "raw-data")
    run(*words)
    result = run(*words)
    assert result.exit_code == 0
    assert result.stderr.count("(unchanged)") == 4


def test_pictures_elsewhere_without_credentials_stop_the_run_with_one_line(
    parts: str, in_folder: Path, run: Run, no_credentials: None
) -> None:
    result = run("convert", parts, "--to", "recordio")
    assert result.exit_code == 2
    assert result.stderr == (
        "mtool: 30 of 30 pictures of s3://raw are not on this disk, and there are no AWS credentials:"
        " type `--images ./raw-data`, or with credentials `mtool fetch train.manifest -o DIR`\n"
    )
    assert made(in_folder) == []


def test_the_wrong_folder_is_said_before_any_work(parts: str, in_folder: Path, run: Run) -> None:
    (in_folder / "other").mkdir()
    result = run("convert", parts, "--to", "recordio", "--images", "other")
    assert result.exit_code == 2
    tried = f"'s3://raw/0.jpg' is not at {os.path.realpath('other/0.jpg')}; type `mtool fetch train.manifest"
    assert f"30 of 30 pictures of s3://raw are not on this disk; {tried}" in result.stderr


def test_the_environment_may_say_where_pictures_lie(
    parts: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTOOL_IMAGES", "raw-data")
    assert run("convert", parts, "--to", "recordio").exit_code == 0


def test_missing_pictures_are_named_counted_and_make_the_exit_code_1(parts: str, run: Run) -> None:
    for number in range(25):
        Path(f"raw-data/{number}.jpg").unlink()
    result = run("convert", parts, "--to", "recordio", "--images", "raw-data")
    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    assert lines[0] == (
        "25 of 30 pictures of s3://raw are not on this disk; 's3://raw/0.jpg' is not at"
        f" {os.path.realpath('raw-data/0.jpg')}; type `mtool fetch train.manifest -o DIR`, then --images DIR"
    )
    assert lines[1].startswith("train.manifest:1: error MT401 expected ")
    assert lines[21] == "... 5 more; in all 25 MT401"
    assert lines[23] == "left out as unusable: 25 pictures"
    with open("train.rec", "rb") as stream:
        assert len(list(read_records(stream))) == 5


def test_where_nothing_can_be_used_the_problems_are_shown(parts: str, in_folder: Path, run: Run) -> None:
    for number in range(30):
        Path(f"raw-data/{number}.jpg").write_bytes(b"no picture")
    result = run("convert", parts, "--to", "recordio", "--images", "raw-data")
    assert result.exit_code == 1
    assert result.stderr.count("MT402") == 22
    assert "no picture could be used, and nothing was written" in result.stderr
    assert made(in_folder) == []


def test_a_hostile_name_cannot_steer_the_terminal(in_folder: Path, run: Run) -> None:
    (in_folder / "raw-data").mkdir()
    (in_folder / "raw-data/1.jpg").write_bytes(jpeg(1))
    write_manifest(in_folder / "m.manifest", [row("1.jpg", 0), row("x\x1b[31m/../y", 0)])
    result = run("convert", "m.manifest", "--to", "folder", "--images", "s3://raw=raw-data")
    assert result.exit_code == 1
    assert "MT405" in result.stderr
    assert "\x1b" not in result.stderr


def test_the_report_for_machines_is_json_on_standard_output(parts: str, run: Run) -> None:
    Path("raw-data/3.jpg").unlink()
    result = run("convert", parts, "--to", "folder", "-o", "parts", "--images", "raw-data", "--json", "-q")
    value: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == 1
    assert value["outputs"][0] == {"path": "parts", "state": "written"}
    assert (value["pictures"], value["num_classes"]) == (29, 2)
    assert [(problem["code"], problem["line"]) for problem in value["problems"]] == [("MT401", 4)]


def test_a_dry_run_writes_nothing(parts: str, in_folder: Path, run: Run) -> None:
    result = run("convert", parts, "--to", "recordio", "--images", "raw-data", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "30 pictures would become train.rec (recordio)\n")
    assert made(in_folder) == []


def test_another_output_is_replaced_only_by_force(parts: str, run: Run) -> None:
    words = ("convert", parts, "--to", "recordio", "--images", "raw-data")
    run(*words)
    refused = run(*words, "--resize", "30")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert run(*words, "--resize", "30", "--force").exit_code == 0


def test_a_class_table_may_name_what_no_line_shows(parts: str, in_folder: Path, run: Run) -> None:
    (in_folder / "classes.json").write_text('{"0": "RH", "1": "LH", "2": "none"}')
    run("convert", parts, "--to", "recordio", "--images", "raw-data", "--classes", "classes.json")
    assert json.loads(Path("train.json").read_text())["classes"]["num_classes"] == 3


def test_pictures_are_fetched_from_s3(parts: str, run: Run, s3: "S3Client") -> None:
    s3.create_bucket(Bucket="raw")
    for number in range(29):
        s3.upload_file(f"raw-data/{number}.jpg", "raw", f"{number}.jpg")
    run("convert", parts, "--to", "recordio", "-o", "disk", "--images", "raw-data")
    result = run("convert", parts, "--to", "recordio", "-o", "s3")
    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    assert lines[0] == (
        "30 of 30 pictures of s3://raw are not on this disk; 30 are fetched from S3, and not kept:"
        " `mtool fetch train.manifest -o DIR` would keep them"
    )
    assert lines[1].startswith("train.manifest:30: error MT401 s3://raw/29.jpg: S3 has no such object")
    assert Path("disk.rec").read_bytes().startswith(Path("s3.rec").read_bytes())


def test_the_help_names_every_format(run: Run) -> None:
    help = "".join(run("convert", "--help").stdout.replace("│", " ").split())  # a hyphen may end a line
    assert all(name in help for name in WRITTEN)


def test_a_bucket_that_is_not_there_ends_the_run(
    parts: str, in_folder: Path, run: Run, s3: "S3Client"
) -> None:
    result = run("convert", parts, "--to", "recordio")
    assert result.exit_code == 3
    assert "S3 has no such bucket" in result.stderr
    assert made(in_folder) == []


@pytest.fixture
def holes(in_folder: Path) -> Path:
    """Two manifests of boxes, train.manifest and validation.manifest, with different classes shown."""
    write(in_folder / "train.manifest", boxes(1, ("RH", 0.9), ("scratch", 0.25)), boxes(2), FAILED)
    write(in_folder / "validation.manifest", boxes(3, ("LH", 0.5)))
    return in_folder


def test_boxes_become_coco_without_a_picture_being_there(holes: Path, run: Run) -> None:
    result = run("convert", "train.manifest", "--to", "coco")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "2 pictures of 3 classes: train.coco.json (written)\nlines without a label: 1 failed\n"
    )
    assert run("convert", "train.manifest", "--to", "coco").stderr.count("(unchanged)") == 1


@pytest.mark.parametrize(
    ("typed", "name"), [("a", "a.coco.json"), ("a.json", "a.json"), ("a.coco.json", "a.coco.json")]
)
def test_a_coco_file_has_the_name_that_was_typed(holes: Path, run: Run, typed: str, name: str) -> None:
    run("convert", "train.manifest", "--to", "coco", "-o", typed)
    assert sorted(path.name for path in holes.iterdir() if path.name.startswith("a")) == [name]


def test_several_manifests_become_parts_with_one_class_table(holes: Path, run: Run) -> None:
    result = run("convert", "train.manifest", "validation.manifest", "--to", "coco", "-o", "ds")
    assert result.stderr.startswith(
        "3 pictures of 3 classes: ds/train.coco.json (written), ds/validation.coco.json (written)\n"
    )
    found = [json.loads(Path(f"ds/{part}.coco.json").read_bytes()) for part in ("train", "validation")]
    assert found[0]["categories"] == found[1]["categories"]
    assert [one["name"] for one in found[0]["categories"]] == ["RH", "LH", "scratch"]


def test_there_and_back_gives_the_same_lines(in_folder: Path, sample: Path, run: Run) -> None:
    manifest = sample / "output.manifest"
    run("convert", manifest, "--to", "coco", "-o", "a")
    result = run("convert", "--from", "coco", "a.coco.json")
    assert (result.exit_code, result.stdout) == (0, "")
    labelled = [line for line in lines_of(manifest) if b'"class-name"' in line]
    assert [json.loads(line) for line in lines_of("a.manifest")] == list(map(json.loads, labelled))


def test_the_way_back_gives_a_manifest_a_part(holes: Path, run: Run) -> None:
    run("convert", "train.manifest", "validation.manifest", "--to", "coco", "-o", "ds")
    result = run("convert", "--from", "coco", "ds", "-o", "back")
    assert result.stderr == (
        "3 pictures of 3 classes: back/train.manifest (written), back/validation.manifest (written)\n"
    )
    assert run("validate", "back/train.manifest").exit_code == 0
    again = run("diff", "validation.manifest", "back/validation.manifest")
    assert again.exit_code == 0, again.stdout


def test_a_file_of_others_says_what_a_manifest_cannot_hold(in_folder: Path, run: Run) -> None:
    crowd = {"image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4], "iscrowd": 1}
    box = {"image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 3, 4, 5, 6]]}
    value = {
        "images": [{"id": 1, "file_name": "left/1.jpg", "width": 9, "height": 9}],
        "categories": [{"id": 5, "name": "x\x1b[31m"}],
        "annotations": [crowd, box],
    }
    Path("instances.json").write_text(json.dumps(value))
    words = ("convert", "--from", "coco", "instances.json", "-o", "out.manifest")
    stopped = run(*words)
    assert stopped.exit_code == 2
    assert stopped.stderr == (
        "mtool: instances.json: a manifest cannot hold crowd regions (1), outline (1);"
        " type --allow-loss to go on without\n"
    )
    result = run(*words, "--allow-loss")
    assert result.exit_code == 0
    assert result.stderr == (
        "pictures named by a path, not by a URI in S3: 1 of 1; for a manifest that SageMaker can use, type"
        " --source-prefix s3://BUCKET/PREFIX\n"
        "1 picture of 1 class: out.manifest (written)\n"
        "left out, as a manifest cannot hold it: crowd regions (1), outline (1)\n"
    )
    rest = ("--label-attribute", "holes", "--force", "--json")
    told = run(*words, "--source-prefix", "s3://raw/photos", "--allow-loss", *rest)
    report = json.loads(told.stdout)
    assert (report["pictures"], report["lost"]) == (1, {"crowd regions": 1, "outline": 1})
    line = json.loads(Path("out.manifest").read_bytes())
    assert line["source-ref"] == "s3://raw/photos/left/1.jpg"
    assert line["holes"]["annotations"] == [{"class_id": 0, "top": 2, "left": 1, "height": 4, "width": 3}]


def test_a_hostile_name_in_a_coco_file_cannot_steer_the_terminal(in_folder: Path, run: Run) -> None:
    value = {"images": [{"id": 1, "file_name": "../\x1b[31m"}], "categories": [], "annotations": []}
    Path("a.json").write_text(json.dumps(value))
    result = run("convert", "--from", "coco", "a.json", "-o", "-")
    assert result.exit_code == 1
    assert "image 1: expected a file_name below a folder" in result.stderr
    assert "\x1b" not in result.stderr + result.stdout


def test_a_dry_run_of_the_way_back_writes_nothing(holes: Path, run: Run) -> None:
    run("convert", "train.manifest", "--to", "coco", "-o", "a.json")
    result = run("convert", "--from", "coco", "a.json", "-o", "b.manifest", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "a.json (coco) would become b.manifest\n")
    assert not Path("b.manifest").exists()


def test_a_manifest_goes_to_standard_output_too(holes: Path, run: Run) -> None:
    run("convert", "validation.manifest", "--to", "coco", "-o", "a")
    result = run("convert", "--from", "coco", "a.coco.json", "-o", "-", "-q")
    assert json.loads(result.stdout)["kind"]["annotations"][0]["class_id"] == 1


def test_the_way_back_leads_to_s3(holes: Path, run: Run, s3: "S3Client") -> None:
    s3.create_bucket(Bucket="out")
    run("convert", "train.manifest", "validation.manifest", "--to", "coco", "-o", "s3://out/ds")
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="out")["Contents"]]
    assert keys == ["ds/train.coco.json", "ds/validation.coco.json"]
    run("convert", "--from", "coco", "s3://out/ds/train.coco.json", "-o", "s3://out/train.manifest")
    body = s3.get_object(Bucket="out", Key="train.manifest")["Body"].read()
    assert [json.loads(line)["source-ref"] for line in body.splitlines()] == [
        "s3://raw/1.jpg",
        "s3://raw/2.jpg",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["train.manifest"], "expected --to FORMAT", id="neither way"),
        pytest.param(["a", "--to", "xml"], "--to xml: expected one of recordio", id="an unknown target"),
        pytest.param(
            ["a", "--to", "images"],
            "--to images: expected one of recordio",
            id="one way only",
        ),
        pytest.param(
            ["train.manifest", "--to", "coco", "--resize", "9"],
            "--resize: coco names pictures and does not open them",
            id="pictures changed that are not opened",
        ),
        pytest.param(
            ["train.manifest", "--to", "recordio"],
            "has boxes, but recordio takes one class a picture or several classes a picture; type --to ",
            id="boxes where only classes go",
        ),
        pytest.param(
            ["train.manifest", "validation.manifest", "--to", "coco"],
            "2 manifests: expected a place for all of them; type -o NAME",
            id="parts without a place",
        ),
        pytest.param(
            ["train.manifest", "--to", "coco", "--source-prefix", "s3://b"],
            "--source-prefix: goes with --from alone",
            id="a prefix for a manifest",
        ),
        pytest.param(
            ["a.json", "--from", "coco", "--link"], "--link goes with --to", id="links on the way back"
        ),
        pytest.param(
            ["a.json", "b.json", "--from", "coco"], "expected one file or folder, found 2", id="two places"
        ),
        pytest.param(
            ["a.json", "--from", "coco", "--source-prefix", "raw"],
            "--source-prefix raw: expected s3://BUCKET",
            id="a prefix elsewhere",
        ),
        pytest.param(
            ["ds", "--from", "coco", "-o", "one.manifest"],
            "ds has the parts train, validation; type -o FOLDER",
            id="two parts into one manifest",
        ),
        pytest.param(
            ["ds/train.coco.json", "--from", "coco", "-o", "ds/train.coco.json"],
            "its own input",
            id="over the input",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    holes: Path, run: Run, words: list[str], message: str
) -> None:
    run("convert", "train.manifest", "validation.manifest", "--to", "coco", "-o", "ds")
    result = run("convert", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_classes_that_disagree_are_refused(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", boxes(1, ("RH", 0.9)))
    write(in_folder / "b.manifest", boxes(2, ("RH", 0.9)).replace(b'"RH"', b'"elk"'))
    result = run("convert", "a.manifest", "b.manifest", "--to", "coco", "-o", "ds")
    assert result.exit_code == 1
    assert "b.manifest and a.manifest disagree: class 0 has two names: 'RH' and 'elk'" in result.stderr
    assert not Path("ds").exists()


def test_a_folder_of_pictures_that_is_not_there_is_refused_where_no_picture_is_opened_too(
    in_folder: Path, run: "Run", sample: Path
) -> None:
    done = run("convert", sample / "output.manifest", "--to", "coco", "-o", "out", "--images", "./raw-dta")
    assert done.exit_code == 2
    assert "--images ./raw-dta" in done.stderr
    assert not Path("out.coco.json").exists()


def test_classes_of_pictures_without_labels_are_refused(in_folder: Path, run: Run) -> None:
    Path("names.txt").write_text("RH\nLH\n")
    said = run("convert", "--from", "images", ".", "--classes", "names.txt", "-o", "a.manifest").stderr
    assert said == "mtool: --classes: --from images reads no labels; leave it out\n"
