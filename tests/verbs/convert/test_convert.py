import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import manifest_tools
from manifest_tools.base.errors import BadData, Exists, Refused
from manifest_tools.formats.table import FORMATS, module_of
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.shrink import shrink
from manifest_tools.images.unusable import MAX_BYTES
from manifest_tools.io.recordio import ImageRecord, read_records, unpack
from manifest_tools.verbs.convert.carry_out import carry_out
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.pieces import pictures_a_piece
from manifest_tools.verbs.convert.plan import plan
from manifest_tools.verbs.convert.report import is_current
from manifest_tools.verbs.convert.result import NothingUsable
from tests.ground_truth import boxes, write
from tests.objects import turned
from tests.pictures import jpeg, row, write_manifest
from tests.record_files import records


def test_a_record_has_the_picture_the_label_and_the_line(parts: str) -> None:
    done = convert(parts, "recordio", "out", images=["raw"], resize=20, quality=90)
    assert [output.path for output in done.outputs] == ["out.rec", "out.idx", "out.lst", "out.json"]
    assert (done.pictures, done.problems) == (6, ())
    assert records("out.rec") == [
        ImageRecord(n + 1, (float(n % 2),), shrink(Path(f"raw/{n}.jpg").read_bytes(), 20, 90))
        for n in range(6)
    ]
    assert Path("out.lst").read_text() == "".join(f"{n + 1}\t{n % 2}.000000\t{n}.jpg\n" for n in range(6))


def test_the_index_leads_to_every_record(parts: str) -> None:
    convert(parts, "recordio", "out", images=["raw"])
    data = Path("out.rec").read_bytes()
    for number, line in enumerate(Path("out.idx").read_text().splitlines(), 1):
        key, offset = map(int, line.split("\t"))
        payload = next(read_records(io.BytesIO(data[offset:])))
        assert unpack(payload).id == key == number


def test_the_output_stands_beside_the_manifest_unless_told(parts: str) -> None:
    convert(str(Path(parts).resolve()), "recordio", images=["raw"])
    assert Path("train.rec").exists() and Path("train.json").exists()


def test_several_labels_become_zeros_and_ones(parts: str, in_folder: Path) -> None:
    rows = [row("0.jpg", [0, 2]), row("1.jpg", []), row("2.jpg", [1])]
    convert(write_manifest(in_folder / "m.manifest", rows), "recordio", "out", images=["raw"])
    assert [record.labels for record in records("out.rec")] == [(1, 0, 1), (0, 0, 0), (0, 1, 0)]
    assert all(record.vector for record in records("out.rec"))
    assert Path("out.lst").read_text().splitlines()[0] == "1\t1.000000\t0.000000\t1.000000\t0.jpg"
    assert json.loads(Path("out.json").read_text())["label_width"] == 3


def test_passed_through_the_bytes_are_those_of_the_file(parts: str) -> None:
    convert(parts, "recordio", "out", images=["raw"], pass_through=True)
    assert [record.picture for record in records("out.rec")] == [
        Path(f"raw/{n}.jpg").read_bytes() for n in range(6)
    ]


@pytest.mark.parametrize("options", [{}, {"pass_through": True}, {"square": True}], ids=str)
def test_any_number_of_workers_gives_the_same_bytes(parts: str, options: dict[str, Any]) -> None:
    def outputs(jobs: int, fetch: Callable[[str], bytes] | None) -> list[bytes]:
        name = f"{jobs}-{fetch is None}"
        convert(
            parts,
            "recordio",
            name,
            images=["raw"] if fetch is None else [],
            jobs=jobs,
            fetch=fetch,
            **options,
        )
        return [Path(f"{name}.{ending}").read_bytes() for ending in ("rec", "idx", "lst")]

    def from_s3(uri: str) -> bytes:
        return Path("raw", uri.removeprefix("s3://raw/")).read_bytes()

    first = outputs(1, None)
    assert all(
        outputs(jobs, fetch) == first for jobs, fetch in ((2, None), (5, None), (1, from_s3), (5, from_s3))
    )


def test_what_no_option_covers_is_fetched(parts: str) -> None:
    asked = []

    def fetch(uri: str) -> bytes:
        asked.append(uri)
        return jpeg(1)

    assert convert(parts, "recordio", "out", fetch=fetch).pictures == 6
    assert sorted(asked) == [f"s3://raw/{n}.jpg" for n in range(6)]


def test_what_an_option_covers_is_never_fetched(parts: str) -> None:
    Path("raw/3.jpg").unlink()

    def fetch(uri: str) -> bytes:
        raise AssertionError(uri)

    done = convert(parts, "recordio", "out", images=["raw"], fetch=fetch)
    assert [(problem.code, problem.line) for problem in done.problems] == [("MT401", 4)]


def test_pictures_that_cannot_be_used_are_problems_with_their_line(parts: str, in_folder: Path) -> None:
    (in_folder / "secret.jpg").write_bytes(jpeg(9))
    (in_folder / "raw/cut.jpg").write_bytes(jpeg(9)[:-200])
    (in_folder / "raw/text.jpg").write_bytes(b"no picture")
    with (in_folder / "raw/large.jpg").open("wb") as large:
        large.truncate(MAX_BYTES + 1)
    (in_folder / "raw/tab\t.jpg").write_bytes(jpeg(9))
    keys = ["0.jpg", "none.jpg", "text.jpg", "cut.jpg", "large.jpg", "../secret.jpg", "tab\t.jpg", "1.jpg"]
    manifest = write_manifest(in_folder / "m.manifest", [row(key, 0) for key in keys])
    done = convert(manifest, "recordio", "out", images=["s3://raw=raw"])
    assert [problem.code for problem in done.problems] == [f"MT40{n}" for n in range(1, 7)]
    assert [problem.line for problem in done.problems] == [2, 3, 4, 5, 6, 7]
    assert all(str(problem).startswith(f"{manifest}:{problem.line}: error MT40") for problem in done.problems)
    assert [record.id for record in records("out.rec")] == [1, 8]
    report = json.loads(Path("out.json").read_text())
    assert report["dropped"] == {f"MT40{n}": 1 for n in range(1, 7)}


def test_pictures_are_fetched_only_a_few_ahead(parts: str, in_folder: Path) -> None:
    fetched = written = most = 0
    manifest = write_manifest(in_folder / "m.manifest", [row(f"{n}.jpg", 0) for n in range(200)])

    def fetch(uri: str) -> bytes:
        nonlocal fetched
        fetched += 1
        return jpeg(1)

    def progress(items: Any, total: int | None, what: str) -> Any:
        nonlocal written, most
        for item in items:
            most = max(most, fetched - written)
            written += 1
            yield item

    convert(manifest, "recordio", "out", fetch=fetch, jobs=3, progress=progress)
    assert (fetched, written) == (200, 200)
    assert most <= 4 * pictures_a_piece(200)


def test_lines_without_a_label_are_counted_and_left_out(parts: str) -> None:
    failed = {"source-ref": "s3://raw/0.jpg", "part-metadata": {"failure-reason": "too large"}}
    with open(parts, "a") as file:
        file.write(json.dumps(failed) + "\n")
    done = convert(parts, "recordio", "out", images=["raw"])
    assert (done.pictures, done.problems, done.left_out) == (6, (), {"failed": 1})


def test_where_nothing_can_be_used_nothing_is_written(parts: str, in_folder: Path) -> None:
    (in_folder / "empty").mkdir()
    with pytest.raises(NothingUsable, match="no picture could be used.*MT401") as found:
        convert(parts, "recordio", "out", images=["empty"])
    assert len(found.value.problems) == 6
    assert not list(in_folder.glob("*out*"))


def test_a_failure_on_the_way_leaves_the_old_output(parts: str, in_folder: Path) -> None:
    convert(parts, "recordio", "out", images=["raw"])
    before = {path.name: path.read_bytes() for path in in_folder.iterdir() if path.is_file()}

    def fetch(uri: str) -> bytes:
        if uri.endswith("3.jpg"):
            raise ConnectionError("the network is gone")
        return jpeg(1)

    with pytest.raises(ConnectionError):
        convert(parts, "recordio", "out", fetch=fetch, force=True)
    assert {path.name: path.read_bytes() for path in in_folder.iterdir() if path.is_file()} == before


def test_the_same_again_is_unchanged_and_another_needs_force(parts: str) -> None:
    convert(parts, "recordio", "out", images=["raw"])
    again = convert(parts, "recordio", "out", images=["raw"])
    assert {output.state for output in again.outputs} == {"unchanged"}
    with pytest.raises(Exists, match="out.rec"):
        convert(parts, "recordio", "out", images=["raw"], resize=30)
    other = convert(parts, "recordio", "out", images=["raw"], resize=30, force=True)
    assert {output.path: output.state for output in other.outputs}["out.rec"] == "written"


def test_an_output_is_current_until_something_changes(parts: str) -> None:
    def planned(**options: Any) -> Any:
        return plan(parts, "recordio", "out", images=["raw"], **options)

    assert not is_current(planned())
    carry_out(planned())
    assert is_current(planned())
    assert not is_current(planned(resize=30))
    assert not is_current(planned(classes=ClassTable(((0, "RH"), (1, "LH"), (2, "none")))))
    before = Path("raw/2.jpg").read_bytes()
    Path("raw/2.jpg").write_bytes(before + b"more")
    assert not is_current(planned())
    Path("raw/2.jpg").write_bytes(before)
    assert is_current(planned())
    Path("out.rec").write_bytes(b"")
    assert not is_current(planned())


def test_the_report_says_what_was_made_from_what(parts: str) -> None:
    convert(parts, "recordio", "out", images=["raw"])
    report = json.loads(Path("out.json").read_text())
    assert report["classes"]["classes"] == {"0": "RH", "1": "LH"}
    assert (report["format"], report["pictures"], report["label_width"]) == ("recordio", 6, 1)
    assert report["options"] == {"resize": 256, "quality": 95, "square": False, "link": False}
    assert report["files"]["out.rec"] == Path("out.rec").stat().st_size


@pytest.mark.parametrize(
    ("to", "options", "message"),
    [
        pytest.param("pickle", {}, "expected one of recordio, ", id="a format that there is not"),
        pytest.param(
            "recordio", {"resize": 20, "pass_through": True}, "--pass-through", id="resized as it is"
        ),
        pytest.param("recordio", {"square": True, "pass_through": True}, "--square", id="cut as it is"),
        pytest.param("recordio", {"unchecked": True}, "--pass-through as well", id="resized unchecked"),
        pytest.param("coco", {"unchecked": True}, "coco names pictures", id="unchecked and never opened"),
        pytest.param("recordio", {"quality": 101}, "expected 1 to 100", id="a quality above 100"),
        pytest.param("recordio", {"resize": -1}, "--resize -1", id="a negative size"),
        pytest.param("folder", {"square": True}, "type --resize", id="a folder of squares without a size"),
        pytest.param("folder", {"link": True, "resize": 20}, "--link", id="a link to another picture"),
        pytest.param("folder", {"link": True, "images": []}, "not on this disk", id="a link to S3"),
    ],
)
def test_what_cannot_be_meant_is_refused(parts: str, to: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        convert(parts, to, "out", **{"images": ["raw"], **options})


@pytest.mark.parametrize(
    ("manifest", "output"),
    [("-", None), ("s3://raw/m", None), ("train.manifest", "-"), ("train.manifest", "s3://")],
)
def test_an_output_without_a_place_is_refused(parts: str, manifest: str, output: str | None) -> None:
    with pytest.raises(Refused, match="expected (a place|a name|s3://BUCKET/NAME)"):
        convert(manifest, "folder", output, images=["raw"])


@pytest.mark.parametrize("label", [1 << 24, [1 << 16]], ids=["no float", "a vector of megabytes"])
def test_an_absurd_class_index_is_refused(in_folder: Path, label: Any) -> None:
    kind = "image-classification" + ("-multilabel" if isinstance(label, list) else "")
    value = {"source-ref": "s3://raw/1", "a": label, "a-metadata": {"type": f"groundtruth/{kind}"}}
    with pytest.raises(BadData, match="m(:1)?: expected"):
        convert(write_manifest(in_folder / "m", [value]), "recordio", "out", images=["."])


def test_every_format_does_what_its_row_says() -> None:
    for known in FORMATS.values():
        assert hasattr(module_of(known), "write") == known.writes
        assert hasattr(module_of(known), "read") == known.reads
        assert (known.defaults is None) == (known.pictures == "named")


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_number_of_workers_gives_the_same_coco(in_folder: Path, jobs: int) -> None:
    lines = [boxes(n, *([("RH", 0.5)] * (n % 3)), pad="x" * 999_000) for n in range(10)]
    manifest = write(in_folder / "fat.manifest", *lines)
    convert(manifest, "coco", f"out{jobs}", jobs=jobs, allow_loss=True)
    found = json.loads(Path(f"out{jobs}.coco.json").read_bytes())
    assert [image["id"] for image in found["images"]] == list(range(1, 11))
    assert [one["id"] for one in found["annotations"]] == list(range(1, 10))
    assert [one["image_id"] for one in found["annotations"]] == [2, 3, 3, 5, 6, 6, 8, 9, 9]


def test_from_python_the_way_back_is_a_function(in_folder: Path) -> None:
    manifest = write(in_folder / "a.manifest", boxes(1, ("LH", 0.5)))
    manifest_tools.convert(manifest, "coco")
    done = manifest_tools.convert_from("a.coco.json", "coco", "b.manifest", label_attribute="kind")
    assert (done.pictures, done.lost, done.on_this_disk) == (1, {}, 0)
    assert json.loads(Path("b.manifest").read_bytes())["kind"] == json.loads(boxes(1, ("LH", 0.5)))["kind"]


def test_unchecked_pictures_are_not_decoded_and_still_whole(parts: str) -> None:
    checked = convert(parts, "folder", "checked", images=["raw"])
    unchecked = convert(parts, "folder", "unchecked", images=["raw"], unchecked=True)
    assert checked.pictures == unchecked.pictures == 6
    assert json.loads(Path("unchecked.json").read_text())["options"]["unchecked"] is True
    whole = Path("raw/1.jpg").read_bytes()
    Path("raw/1.jpg").write_bytes(whole[:-20])
    Path("raw/2.jpg").write_bytes(b"no picture")
    done = convert(parts, "folder", "unchecked", images=["raw"], unchecked=True, force=True)
    assert [(problem.code, problem.line) for problem in done.problems] == [("MT403", 2), ("MT402", 3)]


def test_pictures_stored_turned_are_counted_and_turned_when_asked(parts: str) -> None:
    first = next(Path("raw").rglob("*.jpg"))
    first.write_bytes(turned(6, (60, 40)))
    said = ("1 picture stored turned, with an EXIF flag",)
    ways: tuple[dict[str, Any], ...] = ({"pass_through": True}, {"upright": True, "pass_through": True}, {})
    for options in ways:
        done = convert(parts, "recordio", "out", images=["s3://raw=raw"], force=True, **options)
        found = tuple(remark.partition(":")[0] for remark in done.remarks)
        assert found == (said if options == {"pass_through": True} else ())
    linked = convert(parts, "folder", "linked", images=["s3://raw=raw"], link=True)
    assert said[0] in str(linked.remarks)
    with pytest.raises(Refused, match="--link and --upright"):
        convert(parts, "folder", "linked", images=["s3://raw=raw"], link=True, upright=True)


def test_classes_that_disagree_with_the_lines_are_named(parts: str) -> None:
    Path("wrong.txt").write_text("LH\nRH\n")
    for word in ("recordio", "coco"):
        with pytest.raises(BadData, match=r"train.manifest and --classes disagree: class"):
            convert(parts, word, "out", images=["raw"], classes="wrong.txt")
