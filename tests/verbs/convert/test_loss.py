"""What is counted as lost, and from one data set to another."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from manifest_tools.formats.table import FORMATS, WRITTEN
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.io.sources import copied, open_source
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.loss import WouldLose, in_words, lost_of_manifest
from tests.pictures import jpeg

KIND = LabelAttribute("kind", "kind-metadata", "groundtruth/image-classification", requested=True)


values = st.sampled_from([0, "x", None, {}, [{"confidence": 1}], {"0": {"confidence": 1}}])
metadata = st.dictionaries(
    st.sampled_from(["confidence", "objects", "job-name", "class-name", "type", "class-map", "other"]), values
)
lines_of_a_job: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"source-ref": st.just("s3://raw/1.jpg")},
    optional={
        "kind": st.sampled_from([0, None, {"image_size": []}]),
        "kind-metadata": metadata,
        "worker": values,
        "b": values,
        "b-metadata": metadata,
    },
)


def lost(folder: Path, *lines: dict[str, Any]) -> dict[str, int]:
    path = folder / "all.manifest"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return lost_of_manifest(open_source(str(path)), KIND, FORMATS["recordio"], 1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param({}, [], id="a label and its name are held"),
        pytest.param({"kind-metadata": {"confidence": 0.5}}, ["confidence"], id="a confidence"),
        pytest.param({"kind-metadata": {"objects": [{"confidence": 1}]}}, ["confidence"], id="a box's"),
        pytest.param({"kind-metadata": {"objects": [{}]}}, [], id="boxes without one"),
        pytest.param({"kind-metadata": {"job-name": "x"}}, ["job-name"], id="the job"),
        pytest.param({"kind-metadata": {"workerId": "x"}}, ["metadata workerId"], id="the worker"),
        pytest.param({"weather": "rain"}, ["key weather"], id="another key"),
        pytest.param({"b": 1, "b-metadata": {}}, ["label attribute b"], id="another label"),
        pytest.param({"b-metadata": {}}, ["key b-metadata"], id="metadata without a label"),
        pytest.param({"kind": None, "weather": "rain"}, [], id="a line without a label is not in the output"),
    ],
)
def test_what_a_record_cannot_hold_is_counted(tmp_path: Path, line: dict[str, Any], words: list[str]) -> None:
    usual = {"source-ref": "s3://raw/1.jpg", "kind": 0, "kind-metadata": {"class-name": "RH", "type": "x"}}
    assert lost(tmp_path, usual | line, usual) == dict.fromkeys(words, 1)


def test_a_manifest_with_a_new_key_on_each_line_is_summed_up(tmp_path: Path) -> None:
    found = lost(tmp_path, *({"kind": 0, f"key {number}": 0} for number in range(300)))
    assert (len(found), found["other keys"]) == (101, 200)
    assert in_words(found).endswith("and 95 more")


def test_what_is_counted_stands_in_the_order_of_the_lines_so_that_reports_are_the_same(
    tmp_path: Path,
) -> None:
    line = {"source-ref": "s3://raw/1.jpg", "kind": 0, "c": 1, "a": 1, "d": 1, "b": 1, "f": 1, "e": 1}
    assert list(lost(tmp_path, line)) == ["key c", "key a", "key d", "key b", "key f", "key e"]


def coco(**annotation: Any) -> str:
    """Write pictures and a COCO file of them."""
    Path("raw").mkdir()
    Path("raw/1.jpg").write_bytes(jpeg(1))
    value = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 60, "height": 40}],
        "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "ant"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 7, **annotation}],
    }
    Path("a.coco.json").write_text(json.dumps(value))
    return "a.coco.json"


def test_one_data_set_becomes_another_without_a_manifest(in_folder: Path) -> None:
    done = convert(coco(), "folder", "ds", from_="coco", images=["raw"])
    assert (done.pictures, done.lost) == (1, {})
    assert Path("ds/dog/1.jpg").read_bytes() == jpeg(1)
    assert json.loads(Path("ds/classes.json").read_text())["classes"] == {"0": "ant", "1": "dog"}
    assert not list(in_folder.glob("*.manifest"))


def test_from_one_data_set_to_another_what_would_be_lost_is_said_first(in_folder: Path) -> None:
    path = coco(score=0.5)
    with pytest.raises(WouldLose, match=r"a.coco.json: recordio cannot hold confidence \(1\); type --allow"):
        convert(path, "recordio", "ds", from_="coco", images=["raw"])
    assert convert(path, "recordio", "ds", from_="coco", images=["raw"], allow_loss=True).pictures == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"side_car": True}, "--side-car keeps the lines of a manifest, and with --from there is none"),
        ({"side_car": True, "allow_loss": True}, "type one of them"),
        ({"output": None}, "expected a place for the output; type -o NAME"),
        ({"clip": True}, "--clip: folder holds no boxes"),
        ({"shard": 5}, "--shard: folder is not cut into files"),
    ],
)
def test_what_has_no_meaning_is_refused(in_folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        convert(coco(), **{"to": "folder", "output": "ds", "from_": "coco", "images": ["raw"]} | options)


@given(st.lists(lines_of_a_job, min_size=1, max_size=4), st.sampled_from(sorted(WRITTEN)))
def test_the_shortcut_for_clean_lines_hides_nothing(lines: list[dict[str, Any]], name: str) -> None:
    """Whole blocks are judged at one go; with a blank line in front each line is looked at by itself."""
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    row = FORMATS[name]
    plain, slow = (lost_of_manifest(copied("a", [each]), KIND, row, 1) for each in (text, b"\n" + text))
    assert plain == slow
