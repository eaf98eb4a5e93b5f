import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, NotAManifest, Refused
from manifest_tools.groundtruth.contents import AttributeStats, ClassCount
from manifest_tools.groundtruth.counts import ManifestCounts, count_block
from manifest_tools.io.sources import Block
from manifest_tools.verbs.stats.stats import stats
from tests.ground_truth import NAMES, boxes, cuboids, entities

Write = Callable[[list[dict[str, Any]]], str]


def line(number: int, label: Any = 0, **fields: Any) -> dict[str, Any]:
    metadata = {
        "class-name": "RH",
        "confidence": 0.9,
        "type": "groundtruth/image-classification",
        "human-annotated": "yes",
        "creation-date": "2019-05-04T20:35:30.843220",
        "job-name": "labeling-job/hand",
    }
    metadata |= {key.replace("_", "-"): value for key, value in fields.items()}
    return {"source-ref": f"s3://lab3-rawdata/raw/{number}.JPG", "hand": label, "hand-metadata": metadata}


@pytest.fixture
def manifest(tmp_path: Path) -> Write:
    def write(lines: list[dict[str, Any]]) -> str:
        path = tmp_path / "a.manifest"
        path.write_text("".join(json.dumps(value) + "\n" for value in lines))
        return str(path)

    return write


def only(path: str) -> AttributeStats:
    (attribute,) = stats(path).attributes
    return attribute


def test_the_sample_is_what_its_readme_says(sample: Path) -> None:
    found = stats(str(sample / "output.manifest"))
    (attribute,) = found.attributes
    assert (found.lines, found.blank, found.sources) == (125, 0, {"s3://lab#-rawdata/": 125})
    assert (attribute.labelled, attribute.failed, attribute.unlabelled) == (120, 3, 2)
    assert [(one.index, one.name) for one in attribute.classes] == [(0, "RH"), (1, "LH")]
    assert sum(attribute.confidence.bins[:6]) == 9


def test_the_workshops_output_has_the_classes_that_its_notes_give(corpus: Path) -> None:
    attribute = only(str(corpus / "workshop-output.manifest"))
    assert attribute.classes == (ClassCount(0, "RH", 38, 38), ClassCount(1, "LH", 31, 31))
    assert attribute.days == {"2019-05-04": 69}
    assert attribute.human == 69


@pytest.mark.parametrize("name", ["input-only.manifest", "point-cloud-input.json"])
def test_a_manifest_that_nobody_labelled_has_no_attribute(corpus: Path, name: str) -> None:
    found = stats(str(corpus / name))
    assert found.attributes == ()
    assert sum(found.sources.values()) == found.lines > 0


def test_several_attributes_are_counted_apart(sample: Path) -> None:
    path = str(sample / "good" / "chained-two-attributes.manifest")
    hand, finish = stats(path).attributes
    assert (hand.name, hand.labelled, hand.unlabelled) == ("hand", 3, 0)
    assert (finish.name, finish.labelled, finish.unlabelled) == ("finish", 2, 1)
    assert stats(path, "finish").attributes == (finish,)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("ref-attribute-beside-its-stem", ["Person", "Person-ref"]),
        ("ref-attribute-with-the-metadata-of-its-stem", ["Person-ref"]),
        ("keys-that-look-like-labels", ["kind"]),
        ("source-ref-metadata-is-no-label", ["hand"]),
        ("point-cloud-segmentation", ["surface-ref"]),
        ("boxes-chained-with-verification", ["holes", "check-holes"]),
        ("rekognition-an-attribute-a-label", ["finish0", "finish1"]),
    ],
)
def test_keys_that_only_look_like_labels_are_none(sample: Path, name: str, attributes: list[str]) -> None:
    found = stats(str(sample / "good" / f"{name}.manifest"))
    assert [one.name for one in found.attributes] == attributes
    assert all(one.labelled and not one.failed for one in found.attributes)


def test_an_attribute_that_shows_far_down_is_counted(manifest: Write) -> None:
    lines = [{"source-ref": f"s3://lab3-rawdata/{number}"} for number in range(3000)]
    assert only(manifest([*lines, line(1)])).unlabelled == 3000


def test_confidences_of_zero_stand_apart(manifest: Write) -> None:
    confidences = [0, 0.0, 0.05, 0.1, 0.95, 1, 1.0]
    found = only(manifest([line(n, confidence=one) for n, one in enumerate(confidences)])).confidence
    assert (found.zeros, found.total) == (2, 7)
    assert found.bins == (1, 1, 0, 0, 0, 0, 0, 0, 0, 3)


@pytest.mark.parametrize(
    ("confidences", "constant"),
    [([0.09, 0.09], 0.09), ([0.09], None), ([0.09, 0.1], None), ([0, 0], None), ([0, 0.09, 0.09], None)],
    ids=["the same on all", "a single label", "two", "zeros, which are told apart", "zeros beside"],
)
def test_a_confidence_that_all_labels_share_is_known(
    manifest: Write, confidences: list[float], constant: float | None
) -> None:
    found = only(manifest([line(n, confidence=one) for n, one in enumerate(confidences)]))
    assert found.confidence.constant == constant


def test_each_class_of_a_list_counts_once_a_line(manifest: Write) -> None:
    kind = "groundtruth/image-classification-multilabel"
    named = {"0": "burr", "3": "dent"}
    lines = [line(n, label, type=kind, class_map=named) for n, label in enumerate(([0, 3], [3, "3"], []))]
    found = only(manifest(lines))
    assert found.classes == (ClassCount(0, "burr", 1, 1), ClassCount(3, "dent", 2, 3))
    assert found.empty == 1


def test_who_and_when_and_by_which_job(manifest: Write) -> None:
    lines = [
        line(1, human_annotated="no"),
        line(2, human_annotated="true", creation_date="2022-08-22T20:52:51Z"),
        line(3, human_annotated=None, creation_date="Mon Aug 22 2022", job_name="labeling-job/x"),
    ]
    found = only(manifest(lines))
    assert (found.human, found.machine, found.labelled) == (1, 1, 3)
    assert found.days == {"2019-05-04": 1, "2022-08-22": 1}
    assert found.jobs == {"labeling-job/hand": 2, "labeling-job/x": 1}


def test_a_line_without_class_name_counts_for_the_name_that_others_give(manifest: Write) -> None:
    assert only(manifest([line(1), line(2, class_name=None)])).classes == (ClassCount(0, "RH", 2, 2),)


def test_two_names_of_one_index_are_both_shown(manifest: Write) -> None:
    assert only(manifest([line(1), line(2, class_name="LH")])).classes == (
        ClassCount(0, "LH", 1, 1),
        ClassCount(0, "RH", 1, 1),
    )


def test_sources_are_counted_by_bucket_as_far_as_they_begin_alike(manifest: Write) -> None:
    refs = ["s3://a/x/1", "s3://a/x/2", "s3://a/y/3", "s3://b/z/1", "s3://b/z/12", "1.jpg"]
    found = stats(manifest([{"source-ref": ref} for ref in refs] + [{"source": "text"}]))
    assert found.sources == {"s3://a/": 3, "s3://b/z/": 2, "no s3:// URI": 1}
    assert found.texts == 1


def test_blank_lines_are_counted_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest"
    path.write_text("\n" + "".join(json.dumps(line(n)) + "\n \r\n" for n in range(2)))
    found = stats(str(path))
    assert (found.lines, found.blank) == (2, 3)


def test_a_compressed_manifest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.gz"
    path.write_bytes(gzip.compress(json.dumps(line(1)).encode()))
    assert only(str(path)).labelled == 1


def test_a_line_that_cannot_be_read_is_named(manifest: Write) -> None:
    with pytest.raises(InvalidLine, match=r"a\.manifest:2: expected a class index from 0, found -1"):
        stats(manifest([line(1), line(2, -1)]))


def test_what_is_no_manifest_is_told(sample: Path) -> None:
    with pytest.raises(NotAManifest):
        stats(str(sample / "bad" / "s3prefix.manifest"))


def test_an_attribute_that_is_not_there_is_refused(manifest: Write) -> None:
    with pytest.raises(Refused, match="nahd"):
        stats(manifest([line(1)]), "nahd")


def test_the_frame_has_a_row_for_every_class(manifest: Write) -> None:
    path = manifest([line(1), line(2, 1, class_name="LH"), line(3)])
    frame = stats(path).to_frame()
    assert frame.to_dict("records") == [
        {
            "manifest": path,
            "attribute": "hand",
            "type": "groundtruth/image-classification",
            "class_index": index,
            "class_name": name,
            "lines": lines,
            "labels": lines,
        }
        for index, name, lines in ((0, "RH", 2), (1, "LH", 1))
    ]


def test_the_frame_has_a_row_for_labels_without_classes(sample: Path) -> None:
    frame = stats(str(sample / "good" / "custom-type.manifest")).to_frame()
    assert frame["lines"].tolist() == [2]
    assert frame["class_index"].tolist() == [-1]


written = st.builds(
    line,
    st.integers(0, 9),
    st.sampled_from([0, 1, "1", None]),
    class_name=st.sampled_from(["RH", "LH", None]),
    confidence=st.one_of(st.none(), st.floats(0, 1)),
    creation_date=st.sampled_from(["2019-05-04T20:35:30", "2020-01-01", "x", None]),
    failure_reason=st.sampled_from([None, "expired"]),
)


shown = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([0.0, 0.05, 0.9])), max_size=3)
forms: list[Callable[..., bytes]] = [boxes, cuboids, entities]
one_form = st.sampled_from(forms).map(
    lambda form: st.builds(lambda number, found: json.loads(form(number, *found)), st.integers(0, 9), shown)
)


@settings(deadline=None)
@given(one_form.flatmap(lambda several: st.lists(several, min_size=1, max_size=12)))
def test_boxes_cuboids_and_entities_are_counted_by_line_and_one_by_one(lines: list[dict[str, Any]]) -> None:
    whole = ManifestCounts()
    for value in lines:
        whole.add(count_block(None, Block("", 0, 0, json.dumps(value).encode())))
    found = [items_of(value) for value in lines]
    counts = whole.attributes["kind"]
    assert counts.items == Counter(item for one in found for item in one)
    assert counts.classes == Counter(item for one in found for item in set(one))
    assert (counts.empty, counts.labelled) == (found.count([]), len(lines))
    sure = [one["confidence"] for value in lines for one in confidences_of(value)]
    assert (counts.zeros, int(counts.bins.sum())) == (sure.count(0), len(sure) - sure.count(0))


def items_of(value: dict[str, Any]) -> list[tuple[int, str | None]]:
    annotations = value["kind"]["annotations"]
    if isinstance(annotations, dict):
        return [(NAMES.index(one["label"]), one["label"]) for one in annotations["entities"]]
    indices = [one.get("class_id", one.get("class-id")) for one in annotations]
    return [(index, NAMES[index]) for index in indices]


def confidences_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    metadata: dict[str, list[dict[str, Any]]] = value["kind-metadata"]
    return metadata.get("objects", metadata.get("entities", []))


@settings(deadline=None)
@given(
    one_form.flatmap(
        lambda several: st.lists(st.one_of(written, several, st.just({"source": "text"})), min_size=1)
    ),
    st.data(),
)
def test_counts_of_two_parts_add_up_to_the_count_of_the_whole(
    lines: list[dict[str, Any]], data: st.DataObject
) -> None:
    encoded = [json.dumps(value).encode() + b"\n" for value in lines]
    cut = data.draw(st.integers(0, len(lines)))
    whole, parts = ManifestCounts(), ManifestCounts()
    for count, pieces in ((whole, [encoded]), (parts, [encoded[:cut], encoded[cut:]])):
        for piece in filter(None, pieces):
            count.add(count_block(None, Block("", 0, 0, b"".join(piece))))
    assert as_text(whole) == as_text(parts)
    hand = whole.attributes.get("hand")
    assert (hand.labelled if hand else 0) == sum(value.get("hand") is not None for value in lines)


def as_text(count: ManifestCounts) -> str:
    attributes = {
        name: (
            sorted(counts.classes.items(), key=repr),
            sorted(counts.items.items(), key=repr),
            (counts.empty, counts.adjusted, counts.unadjusted),
            counts.bins.tolist(),
            (counts.zeros, counts.lowest, counts.highest),
            sorted(counts.days.items()),
        )
        for name, counts in count.attributes.items()
    }
    buckets = {bucket: (one.lines, one.common_start) for bucket, one in count.buckets.items()}
    return repr((count.lines, count.objects, count.texts, buckets, attributes))
