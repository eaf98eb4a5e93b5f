"""Every real manifest is read with the right types and counts: as a table, and counted again the slow way."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from manifest_tools.base.errors import NotAManifest
from manifest_tools.groundtruth.contents import AttributeStats
from manifest_tools.verbs.stats.stats import stats


class Shown(NamedTuple):
    """What a file shows of a label attribute; of every class by name its index, lines and labels."""

    name: str
    type: str
    states: tuple[int, int, int]  # labelled, failed, unlabelled
    classes: dict[str, tuple[int, int, int]]
    confidences: tuple[int, int] = (0, 0)  # of 0, and all
    empty: int = 0
    adjusted: tuple[int, int] = (0, 0)  # changed, left as they were


AGREEMENTS = {
    "Agreement Effective Date": (0, 17, 20),
    "APR - Introductory": (1, 7, 30),
    "APR - Balance Transfers": (2, 10, 16),
    "APR - Cash Advances": (3, 11, 19),
    "APR - Purchases": (4, 20, 38),
    "APR - Penalty": (5, 3, 3),
    "APR - General": (6, 3, 5),
    "Fee - Annual": (8, 13, 16),
    "Fee - Balance Transfer": (9, 4, 6),
    "Fee - Late Payment": (10, 17, 25),
    "Fee - Returned Payment": (11, 13, 17),
    "Fee - Foreign Transaction": (12, 12, 20),
    "Fee - Other": (13, 20, 55),
    "Card Name": (14, 27, 111),
    "Provider Address": (15, 15, 35),
    "Provider Name": (16, 37, 151),
    "Min Payment Calculation": (17, 8, 22),
    "Local Terms": (18, 6, 11),
}


def hands(job: str, right: int, left: int) -> list[Shown]:
    """Return what a manifest of the workshop shows."""
    both = right + left
    classes = {"RH": (0, right, right), "LH": (1, left, left)}
    return [Shown(job, "image-classification", (both, 0, 0), classes, (0, both))]


FILES: dict[str, tuple[int, list[Shown]]] = {
    "boxes-minimal.manifest": (
        2,
        [
            Shown(
                "bounding-box",
                "object-detection",
                (2, 0, 0),
                {"cat": (0, 1, 1), "dog": (1, 1, 1)},
                (0, 2),
                empty=1,
            )
        ],
    ),
    "boxes-textract-1.manifest": (
        50,
        [
            Shown(
                "augmentation-1",
                "object-detection",
                (50, 0, 0),
                AGREEMENTS,
                (600, 600),
                empty=4,
                adjusted=(20, 30),
            )
        ],
    ),
    "boxes-with-empty-rows.manifest": (
        32,
        [
            Shown(
                "zegar-labeling-test",
                "object-detection",
                (32, 0, 0),
                {"Arturo Fuente": (0, 11, 36), "Davidoff": (1, 12, 18)},
                (54, 54),
                empty=9,
            )
        ],
    ),
    "boxes-yolov5-sample.manifest": (
        100,
        [Shown("category", "object-detection", (100, 0, 0), {"Bird": (0, 100, 192)}, (0, 192))],
    ),
    "failed-rows.jsonl": (3, [Shown("mock_job_name", "custom", (1, 2, 0), {})]),
    "input-only.manifest": (50, []),
    "mixed-image-and-text.manifest": (
        2,
        [
            Shown("species", "image-classification", (1, 0, 1), {"dog": (0, 1, 1)}, (1, 1)),
            Shown("mood", "text-classification", (1, 0, 1), {"positive": (1, 1, 1)}, (0, 1)),
        ],
    ),
    "point-cloud-input.json": (1, []),
    "segmentation-one-row.manifest": (
        1,
        [
            Shown(
                "S10-label3-ref",
                "semantic-segmentation",
                (1, 0, 0),
                {"IC": (1, 1, 1), "resistor1": (2, 1, 1), "resistor2": (3, 1, 1)},
                (3, 3),
            )
        ],
    ),
    "text-multilabel.manifest": (
        90,
        [
            Shown(
                "cutomDocClassification",
                "text-classification-multilabel",
                (90, 0, 0),
                {"optimism": (1, 57, 57), "anger": (5, 53, 53)},
                (0, 110),
            )
        ],
    ),
    "text-span-ner.manifest": (
        9,
        [
            Shown(
                "ner",
                "text-span",
                (9, 0, 0),
                {"Person": (0, 2, 2), "Brand": (1, 5, 10), "Internet": (2, 7, 15)},
                (0, 27),
            )
        ],
    ),
    "workshop-output.manifest": (69, hands("lab1-labeling-job", 38, 31)),
    "workshop-train-lab1.manifest": (55, hands("lab1-labeling-job", 29, 26)),
    "workshop-train.manifest": (55, hands("lab#-labeling-job", 29, 26)),
    "workshop-validation-lab1.manifest": (14, hands("lab1-labeling-job", 9, 5)),
    "workshop-validation.manifest": (14, hands("lab#-labeling-job", 9, 5)),
}
NO_MANIFESTS = {
    "empty.manifest": "found an empty file",
    "not-augmented-s3prefix.manifest": "found an S3Prefix manifest",
}


def test_every_file_is_in_one_of_the_tables(corpus: Path) -> None:
    there = {path.name for path in corpus.iterdir() if path.name != "README.md"}
    assert there == {*FILES, *NO_MANIFESTS}


@pytest.mark.parametrize("name", FILES)
def test_a_real_manifest_is_read_with_these_types_and_counts(corpus: Path, name: str) -> None:
    lines, shown = FILES[name]
    found = stats(str(corpus / name))
    assert (found.lines, found.blank) == (lines, 0)
    assert [as_shown(one) for one in found.attributes] == shown
    assert sum(found.sources.values()) + found.texts == lines


def as_shown(one: AttributeStats) -> Shown:
    return Shown(
        one.name,
        one.type.removeprefix("groundtruth/"),
        (one.labelled, one.failed, one.unlabelled),
        {shown.name: (shown.index, shown.lines, shown.labels) for shown in one.classes},
        (one.confidence.zeros, one.confidence.total),
        one.empty,
        (one.adjusted, one.unadjusted),
    )


@pytest.mark.parametrize(("name", "said"), NO_MANIFESTS.items())
def test_what_is_no_manifest_is_told(corpus: Path, name: str, said: str) -> None:
    with pytest.raises(NotAManifest, match=said):
        stats(str(corpus / name))


@pytest.mark.parametrize("name", FILES)
def test_the_table_is_what_plain_json_shows(corpus: Path, name: str) -> None:
    rows = [json.loads(line) for line in (corpus / name).read_bytes().splitlines()]
    assert len(rows) == FILES[name][0]
    for shown in FILES[name][1]:
        assert counted(rows, shown.name, shown.type) == shown


def counted(rows: list[dict[str, Any]], name: str, kind: str) -> Shown:
    """Return what lines show of an attribute, counted with nothing of ours."""
    labels = [(row[name], row[f"{name}-metadata"]) for row in rows if name in row]
    failed = sum("failure-reason" in row.get(f"{name}-metadata", {}) for row in rows if name not in row)
    assert {metadata["type"] for _, metadata in labels} == {f"groundtruth/{kind}"}
    said = [items(kind, label, metadata) for label, metadata in labels]
    classes: dict[str, tuple[int, int, int]] = {}
    lines = Counter(item[:2] for one in said for item in {item[:2]: item for item in one}.values())
    every = Counter(item[:2] for one in said for item in one)
    for index, called in sorted(lines):
        classes[called] = (index, lines[index, called], every[index, called])
    sure = [item[2] for one in said for item in one if item[2] is not None]
    status = Counter(metadata.get("adjustment-status") for _, metadata in labels)
    return Shown(
        name,
        kind,
        (len(labels), failed, len(rows) - len(labels) - failed),
        classes,
        (sure.count(0), len(sure)),
        0 if kind == "custom" else said.count([]),
        (status["adjusted"], status["unadjusted"]),
    )


def items(kind: str, label: Any, metadata: dict[str, Any]) -> list[tuple[int, str, float | None]]:
    """Return index, name and confidence of everything that a label holds."""
    if kind == "object-detection":
        boxes = zip(label["annotations"], metadata["objects"], strict=True)
        named = metadata["class-map"]
        return [(box["class_id"], named[str(box["class_id"])], one["confidence"]) for box, one in boxes]
    if kind == "text-span":
        spans = label["annotations"]
        places = [category["label"] for category in spans["labels"]]
        found = zip(spans["entities"], metadata["entities"], strict=True)
        return [(places.index(span["label"]), span["label"], one["confidence"]) for span, one in found]
    if kind == "semantic-segmentation":
        colours = metadata["internal-color-map"].items()
        return [(int(n), one["class-name"], one["confidence"]) for n, one in colours if n != "0"]
    if kind == "text-classification-multilabel":
        named, sure = metadata["class-map"], metadata["confidence-map"]
        return [(index, named[str(index)], sure.get(str(index))) for index in label]
    if kind == "custom":
        return []
    return [(int(label), metadata["class-name"], metadata["confidence"])]
