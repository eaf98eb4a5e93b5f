import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.cli.shared.screen import width

if TYPE_CHECKING:
    from typer.testing import Result

    Run = Callable[..., Result]


def line(index: int, name: str, day: str = "2024-03-04", confidence: float = 0.0) -> dict[str, Any]:
    metadata = {
        "class-name": name,
        "confidence": confidence,
        "type": "groundtruth/image-classification",
        "human-annotated": "yes",
        "creation-date": f"{day}T10:00:00",
        "job-name": "labeling-job/hand",
    }
    return {"source-ref": f"s3://parts-rawdata/{index}.JPG", "hand": index, "hand-metadata": metadata}


def write(lines: list[dict[str, Any]], name: str = "a.manifest") -> None:
    Path(name).write_text("".join(json.dumps(value) + "\n" for value in lines))


def test_the_whole_screen_of_a_small_manifest(run: "Run", in_folder: Path) -> None:
    write([line(0, "RH"), line(1, "LH", "2024-03-05"), line(0, "RH"), {"source-ref": "s3://parts-rawdata/9"}])
    assert run("stats", "a.manifest").stdout == (
        "a.manifest: 4 lines\n"
        "  s3://parts-rawdata/  4\n"
        "\n"
        "hand (image-classification)\n"
        "  3 labelled, 1 unlabelled\n"
        "\n"
        "  class  name  lines  share\n"
        "  0      RH        2   66.7 %  ########################\n"
        "  1      LH        1   33.3 %  ############\n"
        "\n"
        "  confidence  labels\n"
        "  0                3  ########################\n"
        "  a confidence of 0 says nothing: a job with one worker per picture writes it\n"
        "\n"
        "  labelled by people: 3\n"
        "  job labeling-job/hand  3\n"
        "\n"
        "  labelled from 2024-03-04 to 2024-03-05\n"
        "  2024-03-04  2  ########################\n"
        "  2024-03-05  1  ############\n"
    )


def test_a_confidence_that_all_labels_share_is_told_to_say_nothing(run: "Run", in_folder: Path) -> None:
    write([line(0, "RH", confidence=0.95), line(1, "LH", confidence=0.95)])
    told = "  every confidence is 0.95 and says nothing, as after one worker per picture\n"
    assert told in run("stats", "a.manifest").stdout
    write([line(0, "RH", confidence=0.95), line(1, "LH", confidence=0.9)])
    assert "says nothing" not in run("stats", "a.manifest").stdout


def test_json_is_an_object_a_manifest(run: "Run", in_folder: Path) -> None:
    write([line(0, "RH")])
    write([line(0, "RH"), line(1, "LH")], "b.manifest")
    result = run("stats", "a.manifest", "b.manifest", "--json")
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["manifest"], first["lines"], second["lines"]) == ("a.manifest", 1, 2)
    assert second["attributes"][0]["classes"] == [
        {"index": 0, "name": "RH", "lines": 1, "labels": 1},
        {"index": 1, "name": "LH", "lines": 1, "labels": 1},
    ]


def test_without_arguments_every_manifest_of_the_folder_is_shown(run: "Run", in_folder: Path) -> None:
    write([line(0, "RH")])
    write([line(0, "RH")], "b.manifest")
    shown = run("stats").stdout
    assert shown.index("a.manifest: 1 line\n") < shown.index("\n\nb.manifest: 1 line\n")


def test_more_classes_than_a_screen_holds_are_shortened_unless_all_are_asked_for(
    run: "Run", in_folder: Path
) -> None:
    write([line(index, f"class-{index}") for index in range(50)])
    shown = run("stats", "a.manifest").stdout
    assert "... 10 more; --all shows them" in shown
    assert ("class-19 " in shown, "class-20 " in shown, "class-30 " in shown) == (True, False, True)
    every = run("stats", "a.manifest", "--all").stdout
    assert all(f"class-{index} " in every for index in range(50))


@pytest.mark.parametrize(
    ("days", "first"),
    [
        pytest.param(["2024-03-04", "2024-03-05"], "2024-03-04  1", id="days"),
        pytest.param(
            [f"2024-{m:02d}-{d:02d}" for m in (1, 2) for d in range(1, 29)], "2024-01  28", id="months"
        ),
        pytest.param(
            [f"{y}-{m:02d}-01" for y in range(2019, 2023) for m in range(1, 13)], "2019  12", id="years"
        ),
    ],
)
def test_dates_are_counted_by_what_fits_on_a_screen(
    run: "Run", in_folder: Path, days: list[str], first: str
) -> None:
    write([line(0, "RH", day) for day in days])
    assert f"\n  {first}  #" in run("stats", "a.manifest").stdout


def test_hostile_and_wide_names_fit_on_eighty_columns(run: "Run", in_folder: Path) -> None:
    names = ["\x1b[31m" * 50, "左" * 100, "x" * 1000, "\u202e", "e\u0301" * 60]
    write([line(index, name, confidence=0.5) for index, name in enumerate(names)])
    shown = run("stats", "a.manifest").stdout
    assert all(text.isprintable() for text in shown.splitlines())
    classes = shown[shown.index("class  name") : shown.index("confidence")]
    assert all(width(text) <= 80 for text in classes.splitlines())


def test_every_good_sample_fits_on_eighty_columns(run: "Run", sample: Path) -> None:
    for path in sorted((sample / "good").glob("*.manifest")):
        result = run("stats", path)
        assert result.exit_code == 0
        assert all(width(text) <= 80 for text in result.stdout.splitlines()[1:] if "mtool split" not in text)


def numbered(name: str, stem: str = "finish") -> None:
    """Write a manifest with two numbered labels a line."""
    hand = line(0, "RH")
    keys = {f"{stem}{n}": n for n in range(2)} | {
        f"{stem}{n}-metadata": hand["hand-metadata"] for n in range(2)
    }
    write([{"source-ref": f"s3://b/{n}", **keys} for n in range(4)], name)


@pytest.mark.parametrize("name", ["a.manifest", "it's two words.manifest"], ids=["plain", "to be quoted"])
@pytest.mark.parametrize("stem", ["finish", "two words "], ids=["a stem", "a stem to be quoted"])
def test_the_hint_about_numbered_labels_does_what_it_says_as_it_is_printed(
    run: "Run", in_folder: Path, name: str, stem: str
) -> None:
    numbered(name, stem)
    (typed,) = [text for text in run("stats", name).stdout.splitlines() if "mtool split" in text]
    program, *words = shlex.split(typed)
    done = run(*words, "--dry-run")
    assert (program, done.exit_code) == ("mtool", 0)
    assert f"stratified over {stem}0, {stem}1" in done.stderr


def test_the_hint_about_standard_input_names_a_place_for_the_parts(run: "Run", in_folder: Path) -> None:
    numbered("a.manifest")
    shown = run("stats", "-", input=Path("a.manifest").read_bytes()).stdout
    assert "\n  mtool split - -o parts --label-attribute 'finish*'\n" in shown


@pytest.mark.parametrize("words", [["stats"], ["filter", "--labelled"]], ids=" ".join)
def test_a_pattern_is_for_split_and_others_say_so(run: "Run", in_folder: Path, words: list[str]) -> None:
    numbered("a.manifest")
    done = run(*words, "a.manifest", "--label-attribute", "finish*")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.endswith("; type one name here: only mtool split takes a pattern\n")
    unknown = run(*words, "a.manifest", "--label-attribute", "finish")
    assert "pattern" not in unknown.stderr


def test_the_name_of_an_attribute_is_not_printed_by_the_megabyte(run: "Run", in_folder: Path) -> None:
    hand = line(0, "RH")
    write([{"source-ref": "s3://b/1", "x" * 10**6: 0, "x" * 10**6 + "-metadata": hand["hand-metadata"]}])
    assert len(run("stats", "a.manifest").stdout) < 2000


def test_a_line_that_cannot_be_read_ends_in_1(run: "Run", in_folder: Path) -> None:
    Path("a.manifest").write_text('{"source-ref": "s3://a/b"}\n{\n')
    result = run("stats", "a.manifest")
    assert result.exit_code == 1
    assert "a.manifest:2: not JSON" in result.stderr


def test_boxes_are_counted_beside_the_lines_that_have_them(run: "Run", sample: Path) -> None:
    shown = run("stats", sample / "good" / "boxes-with-empty-image.manifest").stdout
    assert (
        "  class  name       lines  boxes  share\n"
        "  0      bolt hole      2      2   66.7 %  ########################\n"
        "  1      slot           1      1   33.3 %  ############\n"
        "         (no box)       1      0   33.3 %\n"
        "\n"
        "  confidence  boxes\n"
        "  0.0 to 0.1      3  ########################\n"
    ) in shown


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "named-entities",
            ["  class  name         lines  entities  share", "         (no entity)      1         0"],
        ),
        (
            "point-cloud-detection",
            ["  class  name         lines  cuboids  share", "  0      Bracket          2        3"],
        ),
        (
            "point-cloud-segmentation",
            ["  1      Metal           2   66.7 %", "         (no class)      1   33.3 %"],
        ),
        (
            "point-cloud-tracking",
            ["solids-ref (point_cloud_object_tracking)", "  1      Tray         1   50.0 %"],
        ),
        (
            "video-frames-detection",
            ["parts-ref (video-object-detection)", "  1      tray         1   50.0 %"],
        ),
        ("video-classification", ["  0      clean       2   66.7 %"]),
        ("boxes-chained-with-adjustment", ["  adjustment job: 2 changed, 1 left as they were"]),
        (
            "boxes-chained-with-verification",
            ["check-holes (label-verification)", "  0      good      2   66.7 %"],
        ),
        ("multi-label-empty-list", ["         (no label)      1   33.3 %"]),
        ("custom-type", ["bend (custom)", "  no classes: its lines have none"]),
        (
            "ref-attribute-beside-its-stem",
            ["Person (image-classification)", "Person-ref (semantic-segmentation)"],
        ),
        (
            "ref-attribute-with-the-metadata-of-its-stem",
            ["Person-ref (semantic-segmentation)", "  1      person      2  100.0 %"],
        ),
        ("keys-that-look-like-labels", ["kind (image-classification)"]),
        ("source-ref-metadata-is-no-label", ["hand (image-classification)"]),
        ("input-only", ["no label attribute: no line is labelled yet"]),
        (
            "rekognition-an-attribute-a-label",
            [
                "finish0 (image-classification)",
                "finish1 (image-classification)",
                "finish* together: 2 attributes with one label each, as Rekognition writes them",
                "  scratched        2  ###",
                "  to stratify a split over all of them, type:",
                "  mtool split ",
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_type_says_what_it_has(run: "Run", sample: Path, name: str, lines: list[str]) -> None:
    shown = run("stats", sample / "good" / f"{name}.manifest").stdout
    message = shown.splitlines()
    assert all(any(text.startswith(line) for text in message) for line in lines), shown


def test_other_json_lines_are_not_said_to_wait_for_labels(run: "Run", in_folder: Path) -> None:
    Path("a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    shown = run("stats", "a.jsonl").stdout
    assert "no line has a source-ref or source: expected a manifest, found other JSON Lines" in shown
    assert "labelled yet" not in shown


def test_where_no_line_has_a_box_that_is_said(run: "Run", in_folder: Path) -> None:
    empty = {"annotations": [], "image_size": [{"width": 1, "height": 1, "depth": 3}]}
    metadata = {"objects": [], "class-map": {}, "type": "groundtruth/object-detection"}
    write([{"source-ref": "s3://b/k", "k": empty, "k-metadata": metadata}])
    assert "  1 labelled\n  no box on any line\n" in run("stats", "a.manifest").stdout


def test_attributes_that_are_numbered_by_chance_are_not_put_together(run: "Run", in_folder: Path) -> None:
    hand = line(0, "RH")
    write([{**hand, "finish2": 1, "finish2-metadata": hand["hand-metadata"]}])
    assert "together" not in run("stats", "a.manifest").stdout


def test_labels_without_metadata_are_called_what_they_are(in_folder: Path, run: "Run") -> None:
    (in_folder / "a.manifest").write_text('{"source-ref":"s3://b/1.jpg","class":0}\n')
    assert "class (class numbers alone)" in run("stats", "a.manifest").stdout
