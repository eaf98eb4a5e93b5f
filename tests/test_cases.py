"""Inputs from the field that once went wrong: one function a folder, named after what is right.

The folders are not the project's own; they are found through MTOOL_CASES, or beside the checkout.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from manifest_tools.io.recordio import read_records, unpack

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]


def codes(run: Run, *words: object) -> set[str]:
    """Return the codes that ``mtool validate`` prints, typed with these words."""
    lines = run("validate", *words).stdout.splitlines()
    return {line.partition(": ")[2].split()[1] for line in lines}


def test_lists_are_compared_as_manifests_are(cases: Path, run: Run) -> None:
    folder = cases / "lst-train-against-validation"
    assert codes(run, folder / "tr.lst", folder / "val0.lst") == {"MT312", "MT313"}
    assert codes(run, folder / "same-path-two-labels.lst") == {"MT303"}


def test_a_rec_is_compared_with_the_list_of_its_name(cases: Path, run: Run) -> None:
    found = run("validate", cases / "rec-against-lst" / "m.rec").stdout
    assert "has no row with the number of this record (2 records)" in found
    assert "gives this record other labels (3 records)" in found


def test_a_class_beyond_num_classes_is_found_in_boxes_of_a_list(cases: Path, run: Run) -> None:
    folder = cases / "detection-class-too-high"
    words = ("--for", "object-detection", folder / "c7.lst", folder / "c7v.lst", "-p", "num_classes=2")
    assert "MT610" in codes(run, *words)


def test_a_header_of_4_and_5_is_sound(cases: Path, run: Run) -> None:
    folder = cases / "detection-header-4-5"
    for ending in ("rec", "lst"):
        files = (folder / f"h45.{ending}", folder / f"vh45.{ending}")
        assert not {"MT809", "MT811"} & codes(run, "--for", "object-detection", *files)


def test_flags_of_a_multi_label_list_leave_no_class_out(cases: Path, run: Run) -> None:
    folder = cases / "multi-label-rec"
    settings = ("-p", "multi_label=1", "-p", "num_classes=3")
    assert "MT513" not in codes(run, "--for", "builtin", folder / "t.lst", folder / "v.lst", *settings)


def test_one_low_confidence_on_all_boxes_is_no_information(cases: Path, in_folder: Path, run: Run) -> None:
    manifest = cases / "boxes-one-worker-confidence" / "boxes.manifest"
    done = run("filter", manifest, "--min-confidence", 0.5, "-o", "out")
    assert (done.exit_code, list(in_folder.iterdir())) == (2, [])
    assert "every confidence is 0.09;" in done.stderr
    dropped = run("filter", manifest, "--min-confidence", 0.5, "--zero-confidence", "drop", "-o", "out")
    assert "lines kept has no box" in dropped.stderr
    kept = run("filter", manifest, "--min-confidence", 0.5, "--zero-confidence", "keep")
    assert kept.stdout_bytes == manifest.read_bytes()
    stats = json.loads(run("stats", manifest, "--json").stdout)
    assert stats["attributes"][0]["confidence"]["constant"] == 0.09


def test_a_line_that_is_not_utf_8_is_a_problem_beside_a_failed_one(cases: Path, run: Run) -> None:
    folder = cases / "not-utf8-in-preflight"
    both = [folder / f"validate-for-{name}.manifest" for name in ("not-utf8", "other")]
    for purpose in ("builtin", "object-detection", "semantic-segmentation", "rekognition"):
        for files in (both, both[::-1]):
            assert "MT101" in codes(run, "--for", purpose, *files)


def test_a_text_for_git_has_odd_values_as_they_are(cases: Path, run: Run) -> None:
    texts = {"confidence-map-true": "confidence-map=true", "type-is-array": "type=[]"}
    for name, said in texts.items():
        done = run("diff", "--textconv", cases / "textconv-odd-types" / f"textconv-{name}.manifest")
        assert done.exit_code == 0
        assert said in done.stdout


def test_a_label_without_metadata_is_image_classification_in_every_verb(cases: Path, run: Run) -> None:
    folder = cases / "label-without-metadata"
    for name in ("bare", "bares", "ic"):
        path = folder / f"{name}.manifest"
        for told in ((), ("--label-attribute", "class")):
            for verb in ("stats", "split", "filter"):
                words = () if verb == "stats" else ("--dry-run", "-o", "out")
                assert run(verb, path, *told, *words).exit_code == 0
            assert not {"MT201", "MT215", "MT503"} & codes(run, "--for", "builtin", path, *told)


def test_metadata_without_its_label_on_any_line_is_no_label(cases: Path, run: Run) -> None:
    path = cases / "extra-metadata-key" / "a.manifest"
    assert codes(run, path) == set()
    assert "annotator" not in run("stats", path).stdout
    assert run("split", path, "--dry-run", "-o", "out").exit_code == 0


def test_a_jpeg_whose_tail_is_zeros_is_a_problem_on_every_path(
    cases: Path, run: Run, in_folder: Path
) -> None:
    folder = cases / "jpeg-zeroed-tail"
    manifest, images = folder / "z.manifest", ("--images", folder)
    ways: tuple[tuple[str, ...], ...] = (
        ("recordio",),
        ("recordio", "--pass-through"),
        ("folder",),
        ("folder", "--resize", "32"),
    )
    for number, words in enumerate(ways):
        done = run("convert", manifest, "--to", *words, "-o", f"out{number}", *images)
        assert done.exit_code == 1
        assert "z.manifest:1: error MT403 a JPEG file cut off after" in done.stderr
    piped = run("pipe", manifest, "-o", "out.pipe", *images)
    assert "z.manifest:1: s3://lab/raw/zerotail.jpg: a JPEG file cut off" in piped.stderr
    assert codes(run, manifest, "--objects", *images) == {"MT403"}


def test_every_class_without_a_validation_line_is_named(cases: Path, run: Run, tmp_path: Path) -> None:
    done = run("split", cases / "two-lines-a-class" / "j.manifest", "--dry-run", "-o", tmp_path)
    assert "classes with fewer lines than parts, all in train: Car\n" in done.stderr
    assert "classes without a line in validation: Ferry, Motorbike\n" in done.stderr
    done = run("split", cases / "two-lines-a-class" / "t.manifest", "--dry-run", "--json", "-o", tmp_path)
    part = json.loads(done.stdout)["parts"]["validation"]
    assert len(part["classes"]) + len(part["classes_without_line"]) == 22


def test_relative_source_refs_get_a_prefix(cases: Path, in_folder: Path, run: Run) -> None:
    manifest = cases / "relative-source-refs" / "tpl.manifest"
    assert run("rewrite", "--prefix", "s3://lab/anomalies", manifest, "-o", "out").exit_code == 0
    expected = manifest.read_bytes().replace(b"training-images/", b"s3://lab/anomalies/training-images/")
    assert Path("out").read_bytes() == expected


def test_class_names_that_look_alike_draw_a_warning_each(cases: Path, run: Run) -> None:
    folder = cases / "class-name-blanks"
    found = run("validate", folder / "c.manifest").stdout
    assert found.count("MT307") == 3
    assert "U+0020 SPACE" in run("validate", folder / "a.manifest").stdout
    both = (folder / "a.manifest", folder / "b.manifest")
    assert "MT314" in codes(run, *both)
    merged = run("merge", *both, "-o", "out", "--dry-run").stderr
    assert "b.manifest adds the class" in merged and "differ only in blanks" in merged


def test_two_slashes_in_a_key_are_found_on_a_disk_and_told_once(
    cases: Path, run: Run, tmp_path: Path
) -> None:
    folder = cases / "double-slash-key"
    assert run("validate", folder / "k.manifest").stdout.count("MT118") == 1
    words = ("--to", "folder", "-o", tmp_path / "out", "--images", folder / "raw")
    assert run("convert", folder / "k.manifest", *words).exit_code == 0


def test_pictures_that_are_stored_turned_are_said_or_turned(cases: Path, run: Run, in_folder: Path) -> None:
    folder = cases / "exif-pass-through"
    words = ("convert", folder / "e.manifest", "--images", folder, "--to", "recordio", "--pass-through")
    said = "2 pictures stored turned, with an EXIF flag: OpenCV turns them upright"
    assert said in run(*words, "-o", "as-it-is").stderr
    assert said not in run(*words, "-o", "turned", "--upright").stderr
    assert said in run("pipe", folder / "e.manifest", "--images", folder, "-o", "out.pipe").stderr


def test_grey_of_12_bits_in_16_is_scaled_and_said(cases: Path, run: Run, in_folder: Path) -> None:
    folder = cases / "grey-12-in-16-bit"
    words = ("convert", folder / "g.manifest", "--images", folder, "--to", "recordio")
    done = run(*words, "-o", "scaled")
    assert (
        "1 picture of 16 bits with no value of more than 12: scaled, so that they are not black"
        in done.stderr
    )
    with (in_folder / "scaled.rec").open("rb") as stream:
        picture = unpack(next(read_records(stream, "scaled.rec"))).picture
    assert np.asarray(Image.open(io.BytesIO(picture))).max() > 200
    assert "black to readers that keep the upper 8" in run(*words, "--pass-through", "-o", "as-it-is").stderr


def test_frames_of_few_videos_on_both_sides_are_said_with_what_to_type(
    cases: Path, in_folder: Path, run: Run
) -> None:
    manifest = cases / "frames-of-few-videos" / "frames.manifest"
    done = run("split", manifest, "-o", "apart")
    assert "look like frames of 6 videos, and 6 of them are in several parts" in done.stderr
    typed = done.stderr.partition("--group '")[2].partition("'")[0]
    done = run("split", manifest, "-o", "together", "--group", typed)
    assert "videos" not in done.stderr
    sides = [
        {
            json.loads(line)["source-ref"].split("/")[3]
            for line in (in_folder / "together" / name).read_text().splitlines()
        }
        for name in ("train.manifest", "validation.manifest")
    ]
    assert len(sides[0]) + len(sides[1]) == 6
    assert not sides[0] & sides[1]
