import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ground_truth import FAILED, UNLABELLED, boxes, entities, line, lines_of, multi, write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]

WORKSHOP = """\
index  class  train  validation  all
    0  RH        30           8   38
    1  LH        25           6   31
       lines     55          14   69
seed 0
"""
THREE = ("train.manifest", "validation.manifest", "split.json")


def custom(kind: str | None) -> list[bytes]:
    """Return ten lines whose labels are objects that a consolidation function wrote."""
    metadata = {} if kind is None else {"type": kind}
    rows = ({"source-ref": f"s3://raw/{n}", "kind": {"x": n}, "kind-metadata": metadata} for n in range(10))
    return [json.dumps(row).encode() for row in rows]


def says(states: str, *names: str) -> str:
    return "".join(f"{name}: {states}\n" for name in names)


@pytest.fixture
def twenty(in_folder: Path) -> Path:
    """A folder with an output.manifest of twenty lines in two classes."""
    write(in_folder / "output.manifest", *(line(n, n % 2) for n in range(20)))
    return in_folder


def test_the_workshops_manifest_is_split_by_one_word(workshop: Path, run: Run) -> None:
    done = run("split")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == WORKSHOP + says("written", *THREE)
    both = [*lines_of("train.manifest"), *lines_of("validation.manifest")]
    assert sorted(both) == sorted(lines_of("output.manifest"))
    again = run("split", "output.manifest")
    assert (again.exit_code, again.stderr) == (0, WORKSHOP + says("unchanged", *THREE))


def test_a_split_that_is_there_is_not_replaced_by_another(workshop: Path, run: Run) -> None:
    run("split", "-q")
    before = {name: Path(name).read_bytes() for name in THREE}
    done = run("split", "--seed", 1)
    assert done.exit_code == 2
    assert done.stderr == (
        "mtool: train.manifest, validation.manifest, split.json: exist already, with other content; "
        "type --force to replace them, or -o for another place\n"
    )
    assert {name: Path(name).read_bytes() for name in THREE} == before
    assert sorted(path.name for path in workshop.iterdir()) == sorted([*THREE, "output.manifest"])
    assert run("split", "--seed", 1, "--force").exit_code == 0
    assert json.loads(Path("split.json").read_text())["seed"] == 1


def test_a_dry_run_shows_the_table_and_writes_nothing(workshop: Path, run: Run) -> None:
    done = run("split", "--dry-run", "-o", "parts")
    would = "dry run, nothing written; would write parts/train.manifest, parts/validation.manifest\n"
    assert (done.exit_code, done.stderr) == (0, WORKSHOP + would)
    assert [path.name for path in workshop.iterdir()] == ["output.manifest"]


def test_the_report_as_json_is_what_stands_in_split_json(workshop: Path, run: Run) -> None:
    done = run("split", "--json")
    message = json.loads(done.stdout)
    assert message == json.loads(Path("split.json").read_text())
    assert (message["num_training_samples"], message["num_classes"]) == (55, 2)
    assert done.stderr == ""


def test_quiet_says_nothing(twenty: Path, run: Run) -> None:
    done = run("split", "-q")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["--ratio", "0.5"], {"train": 10, "validation": 10}),
        (["--ratio", "9/10"], {"train": 18, "validation": 2}),
        (
            ["--part", "train=0.7", "--part", "validation=0.2", "--part", "test=0.1"],
            {"train": 14, "validation": 4, "test": 2},
        ),
        (["--part", "all=1"], {"all": 20}),
    ],
    ids=" ".join,
)
def test_parts_and_their_shares_are_as_typed(
    twenty: Path, run: Run, words: list[str], lines: dict[str, int]
) -> None:
    assert run("split", *words).exit_code == 0
    assert {name: len(lines_of(f"{name}.manifest")) for name in lines} == lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ratio", "2"], "--ratio 2: expected a number between 0 and 1, such as 0.8"),
        (["--ratio", "most"], "--ratio most: expected a number between 0 and 1, such as 0.8"),
        (["--ratio", "1"], "--ratio 1: expected a number between 0 and 1, such as 0.8"),
        (["--ratio", ".8", "--part", "a=1"], "--ratio and --part cannot be combined; type one of them"),
        (["--part", "train"], "--part train: expected NAME=R, such as train=0.8"),
        (
            ["--part", "a=.5", "--part", "a=.5"],
            "two parts have the same name; type a different name for each --part NAME=R",
        ),
        (
            ["--part", "../x=1"],
            "expected a part's name of letters, digits, '.', '_' and '-', found '../x'",
        ),
        (
            ["-o", "output.manifest"],
            "output.manifest/train.manifest: expected a folder above it, found a file; type another name",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_parts_that_make_no_sense_are_refused_in_one_line(
    twenty: Path, run: Run, words: list[str], message: str
) -> None:
    done = run("split", *words)
    assert (done.exit_code, done.stderr) == (2, f"mtool: {message}\n")
    assert [path.name for path in twenty.iterdir()] == ["output.manifest"]


def test_lines_without_a_label_are_counted_and_kept_when_told(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", *(line(n) for n in range(5)), FAILED, UNLABELLED, UNLABELLED)
    done = run("split", "a.manifest", "--rejects", "rest")
    assert "left out: 1 failed, 2 unlabelled\n" in done.stderr
    assert lines_of("rest") == [FAILED + b"\n", UNLABELLED + b"\n", UNLABELLED + b"\n"]


def test_a_class_with_fewer_lines_than_parts_is_named(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", *(line(n) for n in range(9)), line(9, 1, class_name="L\x1b[31mH"))
    done = run("split", "a.manifest")
    assert "classes with fewer lines than parts, all in train: L\\x1b[31mH\n" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_small_class_that_a_picture_of_several_classes_carried_off_is_not_said_to_be_in_train(
    in_folder: Path, run: Run
) -> None:
    rows = [multi(n, RH=1, LH=1) for n in range(10)] + [multi(n, RH=1, dent=1) for n in (20, 21)]
    write(in_folder / "a.manifest", *rows)
    done = run("split", "a.manifest", "--part", "train=.4", "--part", "b=.3", "--part", "c=.3")
    assert "classes with fewer lines than parts: dent\n" in done.stderr


TOO_FEW = "because lines of one picture and small classes stay together; label more pictures\n"


def test_a_part_that_no_line_went_to_is_named_and_the_outputs_are_written(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", *(multi(n, RH=1, LH=1) for n in range(2)))
    done = run("split", "a.manifest")
    assert f"validation has no line: 2 lines are too few for a ratio of 0.2, {TOO_FEW}" in done.stderr
    assert (done.exit_code, lines_of("validation.manifest")) == (0, [])
    full = run("split", "a.manifest", "--ratio", "0.5", "-o", "half")
    assert " is empty" not in full.stderr


def test_every_empty_part_is_named(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", boxes(1, ("RH", 0.9)))
    done = run("split", "a.manifest", "--part", "train=0.5", "--part", "b=1/3", "--part", "c=1/6")
    assert f"b has no line: 1 line is too few for a ratio of 0.333333, {TOO_FEW}" in done.stderr
    assert f"c has no line: 1 line is too few for a ratio of 0.166667, {TOO_FEW}" in done.stderr


@pytest.mark.parametrize(
    ("rows", "few"),
    [
        pytest.param([boxes(n, ("RH", 1)) for n in range(9)] + [boxes(9)], "(no box)", id="boxes"),
        pytest.param(
            [entities(n, ("RH", 1)) for n in range(9)] + [entities(9)], "(no entity)", id="entities"
        ),
        pytest.param(
            [boxes(n, ("RH", 1)) for n in range(9)] + [boxes(9), boxes(10, ("LH", 1))],
            "LH, (no box)",
            id="beside a class",
        ),
    ],
)
def test_lines_without_any_label_can_be_fewer_than_the_parts(
    in_folder: Path, run: Run, rows: list[bytes], few: str
) -> None:
    write(in_folder / "a.manifest", *rows)
    assert f"{few}\n" in run("split", "a.manifest").stderr.partition("fewer lines than parts")[2]


def test_names_are_not_printed_by_the_megabyte(in_folder: Path, run: Run) -> None:
    long = "x" * 10**6
    write(in_folder / "a.manifest", *(line(n) for n in range(9)), line(9, 1, class_name=long))
    done = run("split", "a.manifest")
    assert (done.exit_code, done.stderr.count("xxx..."), len(done.stderr) < 2000) == (0, 1, True)
    write(in_folder / "b.manifest", line(1, class_name=long), line(2, class_name=f"{long}y"))
    conflict = run("split", "b.manifest")
    assert "class 0 has two names: 'xxx" in conflict.stderr
    assert (conflict.exit_code, len(conflict.stderr) < 400) == (1, True)
    write(in_folder / "c.manifest", *custom(f"acme/{long}"))
    assert len(run("split", "c.manifest", "--force").stderr) < 2000


def test_boxes_are_stratified_by_the_classes_that_a_picture_shows(
    corpus: Path, in_folder: Path, run: Run
) -> None:
    boxes = corpus / "boxes-with-empty-rows.manifest"
    done = run("split", boxes, "-o", "parts")
    assert done.stderr == (
        "index  class          train  validation  all\n"
        "    0  Arturo Fuente      9           2   11\n"
        "    1  Davidoff          10           2   12\n"
        "       (no box)           7           2    9\n"
        "       lines             26           6   32\n"
        "seed 0\n" + says("written", *(f"parts/{name}" for name in THREE))
    )
    assert sorted(lines_of("parts/train.manifest", "parts/validation.manifest")) == sorted(lines_of(boxes))
    message = json.loads(Path("parts/split.json").read_text())
    assert [part["empty"] for part in message["parts"].values()] == [7, 2]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        pytest.param(custom("groundtruth/custom"), "custom", id="a custom job"),
        pytest.param(custom("acme/stickers\x1b[31m"), r"acme/stickers\x1b[31m", id="a type of somebody else"),
        pytest.param(custom(None), "no known type", id="no type"),
    ],
)
def test_labels_that_say_no_class_are_not_stratified_and_the_report_says_so(
    in_folder: Path, run: Run, lines: list[bytes], kind: str
) -> None:
    write(in_folder / "a.manifest", *lines)
    done = run("split", "a.manifest")
    assert done.stderr.startswith(
        "index  class  train  validation  all\n"
        "       lines      8           2   10\n"
        f"not stratified: kind is {kind} and has no class on its lines\nseed 0\n"
    )
    assert sorted(lines_of("train.manifest", "validation.manifest")) == sorted(lines_of("a.manifest"))


def test_failed_rows_are_left_out(corpus: Path, in_folder: Path, run: Run) -> None:
    done = run("split", corpus / "failed-rows.jsonl", "-o", ".", "--rejects", "rest")
    assert "left out: 2 failed\n" in done.stderr
    assert (len(lines_of("train.manifest")), len(lines_of("rest"))) == (1, 2)


def test_several_label_attributes_are_listed_and_one_must_be_told(
    corpus: Path, in_folder: Path, run: Run
) -> None:
    mixed = corpus / "mixed-image-and-text.manifest"
    done = run("split", mixed, "-o", "parts")
    assert done.exit_code == 2
    assert done.stderr == (
        f"mtool: {mixed}: it has the label attributes species (image-classification, 1 of 2 lines), "
        "mood (text-classification, 1 of 2 lines); type --label-attribute species (or another of them); "
        "repeat it to stratify over several\n"
    )
    assert not list(in_folder.iterdir())
    told = run("split", mixed, "-o", "parts", "--label-attribute", "mood")
    assert "left out: 1 unlabelled\n" in told.stderr


def test_gaps_count_as_classes_and_a_table_fills_them(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", *(line(n, 3 * (n % 2)) for n in range(10)))
    Path("names.txt").write_text("RH\nLH\nscratch\nburr\ndent\n")
    assert json.loads(run("split", "a.manifest", "--json").stdout)["num_classes"] == 4
    message = json.loads(run("split", "a.manifest", "--json", "--classes", "names.txt", "--force").stdout)
    assert message["num_classes"] == 5
    assert message["class_table"]["classes"]["4"] == "dent"
    Path("names.txt").write_text("LH\nRH\n")
    assert run("split", "a.manifest", "--classes", "names.txt", "--force").exit_code == 1


@pytest.mark.parametrize("manifest", ["-", "s3://bucket/output.manifest"])
def test_what_has_no_folder_beside_it_needs_one(in_folder: Path, run: Run, manifest: str) -> None:
    done = run("split", manifest, input=line(1))
    assert done.exit_code == 2
    assert done.stderr == f"mtool: split {manifest} needs a folder for the parts; type -o FOLDER\n"


def test_standard_input_is_split_as_the_file_would_be(twenty: Path, run: Run) -> None:
    run("split", "-q", "-o", "one")
    data = Path("output.manifest").read_bytes()
    assert run("split", "-", "-o", "other", input=data).exit_code == 0
    Path("c.manifest.gz").write_bytes(gzip.compress(data))
    assert run("split", "c.manifest.gz", "-o", "third").exit_code == 0
    for part in THREE[:2]:
        assert len({Path(folder, part).read_bytes() for folder in ("one", "other", "third")}) == 1


def test_a_manifest_in_s3_is_split_into_s3_as_the_file_would_be(
    twenty: Path, s3: "S3Client", run: Run
) -> None:
    run("split", "-q")
    s3.create_bucket(Bucket="lab3-data")
    s3.upload_file("output.manifest", "lab3-data", "jobs/output.manifest")
    done = run("split", "s3://lab3-data/jobs/output.manifest", "-o", "s3://lab3-data/parts")
    assert done.exit_code == 0
    for name in THREE[:2]:
        found = s3.get_object(Bucket="lab3-data", Key=f"parts/{name}")["Body"].read()
        assert found == Path(name).read_bytes()
        assert f"s3://lab3-data/parts/{name}: written\n" in done.stderr
    report = json.loads(s3.get_object(Bucket="lab3-data", Key="parts/split.json")["Body"].read())
    assert report["inputs"][0]["manifest"] == "s3://lab3-data/jobs/output.manifest"
    assert report["inputs"][0]["sha256"] == json.loads(Path("split.json").read_text())["inputs"][0]["sha256"]


def test_without_a_manifest_it_says_what_it_looked_for(in_folder: Path, run: Run) -> None:
    done = run("split")
    assert (done.exit_code, done.stderr) == (
        2,
        "mtool: output.manifest: expected a manifest, found no such file\n",
    )


def test_more_classes_than_a_screen_holds_are_summed_up(in_folder: Path, run: Run) -> None:
    write(
        in_folder / "a.manifest",
        *(line(n, 0).replace(b'"RH"', b'"c%d"' % n).replace(b": 0,", b": %d," % n, 1) for n in range(60)),
    )
    done = run("split", "a.manifest")
    assert "(21 more classes: see split.json)\n" in done.stderr
    names = ", ".join(f"c{n}" for n in range(60))
    assert f"classes with fewer lines than parts, all in train: {names}\n" in done.stderr


def test_every_class_without_a_line_in_a_part_is_named(in_folder: Path, run: Run) -> None:
    labels = [0] * 9 + [1] * 2 + [2] * 2 + [3] * 2 + [4]
    write(in_folder / "a.manifest", *(line(n, label) for n, label in enumerate(labels)))
    done = run("split", "a.manifest")
    written = json.loads(Path("split.json").read_text())
    missing = written["parts"]["validation"]["classes_without_line"]
    named = [("RH", "LH", "scratch", "burr")[index] for index in missing if index != 4]
    assert f"classes without a line in validation: {', '.join(named)}\n" in done.stderr
    assert "classes with fewer lines than parts, all in train: dent\n" in done.stderr
    assert sorted(missing) == [
        int(index) for index in "1234" if index not in written["parts"]["validation"]["classes"]
    ]


def test_what_stays_off_the_ratios_is_said(in_folder: Path, run: Run) -> None:
    whole = [boxes(1, ("RH", 0.9)), boxes(1, ("LH", 0.9)), boxes(1, ("RH", 0.9), ("dent", 0.9))]
    write(in_folder / "a.manifest", *whole * 3, *(boxes(n, ("RH", 0.9)) for n in range(2, 5)))
    done = run("split", "a.manifest", "--ratio", 0.5)
    assert (
        "lines that are off the ratios, because lines of one picture and small classes stay together: "
        "train 9 in place of 6, validation 3 in place of 6\n" in done.stderr
    )
    assert (
        "classes that are off the ratios by a line or more: RH by 1.5, LH by 1.5, dent by 1.5\n"
        in done.stderr
    )
    off = json.loads(Path("split.json").read_text())["off"]
    assert off == {"lines": {"train": 3.0, "validation": -3.0}, "classes": {"0": 1.5, "1": 1.5, "4": 1.5}}
    run("split", "a.manifest", "--ratio", 0.75, "--force")
    assert "off" not in json.loads(Path("split.json").read_text())


@pytest.fixture
def contradictory(in_folder: Path) -> list[bytes]:
    """Ten lines, of which the second and the last are of one picture and have different classes."""
    rows = [line(n) for n in range(9)] + [line(1, 1)]
    write(in_folder / "a.manifest", *rows)
    return [row + b"\n" for row in rows]


CONTRADICTION = "2 lines of 1 picture contradict one another; the first: line 10 has LH, line 2 has RH"


def test_contradictory_lines_are_kept_and_told(contradictory: list[bytes], run: Run) -> None:
    done = run("split", "a.manifest")
    assert f"{CONTRADICTION}; kept on one side; --conflicts drop leaves them out\n" in done.stderr
    assert sorted(lines_of("train.manifest", "validation.manifest")) == sorted(contradictory)
    assert json.loads(Path("split.json").read_text())["contradictory"] == {
        "lines": 2,
        "pictures": 1,
        "first": "line 10 has LH, line 2 has RH",
        "conflicts": "keep",
    }


@pytest.mark.parametrize("words", [[], ["--shuffle"]], ids=["in order", "shuffled"])
def test_contradictory_lines_are_dropped_when_told_and_rejects_have_them(
    contradictory: list[bytes], run: Run, words: list[str]
) -> None:
    done = run("split", "a.manifest", "--conflicts", "drop", "--rejects", "rest", *words)
    assert f"{CONTRADICTION}\nleft out: 2 contradictory\n" in done.stderr
    assert sorted(lines_of("rest")) == sorted([contradictory[1], contradictory[9]])
    rest = contradictory[:1] + contradictory[2:9]
    assert sorted(lines_of("train.manifest", "validation.manifest")) == sorted(rest)


def test_contradictory_lines_stop_the_split_when_told(contradictory: list[bytes], run: Run) -> None:
    done = run("split", "a.manifest", "--conflicts", "error")
    way_out = "type --conflicts drop or keep, or choose with: mtool merge --on-conflict"
    assert (done.exit_code, done.stderr) == (1, f"mtool: a.manifest: {CONTRADICTION}; {way_out}\n")
    assert [path.name for path in Path().iterdir()] == ["a.manifest"]


def test_a_manifest_of_contradictions_alone_is_not_split_into_nothing(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line(1, 0), line(1, 1))
    done = run("split", "a.manifest", "--conflicts", "drop")
    assert (done.exit_code, done.stderr.endswith("no other line is labelled; type --conflicts keep\n")) == (
        1,
        True,
    )


def test_boxes_of_one_picture_contradict_one_another_by_their_classes(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", boxes(1, ("RH", 1)), boxes(1, ("RH", 1), ("RH", 1)), boxes(2), boxes(2))
    assert "contradict" not in run("split", "a.manifest").stderr
    write(in_folder / "b.manifest", boxes(1, ("RH", 1)), boxes(1), boxes(2))
    assert "line 2 has no class, line 1 has RH" in run("split", "b.manifest", "--force").stderr
