from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from manifest_tools.base.dates import parse_date
from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.label_kinds import KINDS
from manifest_tools.groundtruth.record import decoder
from manifest_tools.groundtruth.survey import label_attribute
from manifest_tools.io.sources import Source
from manifest_tools.verbs.filter.conditions import Conditions
from manifest_tools.verbs.filter.line_filter import FilterState, line_filter, peek_for
from tests.ground_truth import FAILED, UNLABELLED, line, multi, write

NOON = datetime(2024, 3, 4, 12)


def why(row: bytes, wanted: Conditions, tmp_path: Any) -> str | None:
    """Return why a line goes."""
    sure = multi(0, RH=0.9) if b"multilabel" in row else line(0)
    path = write(tmp_path / "a.manifest", sure)
    attribute = label_attribute(Source(path, path, len(sure)))
    return line_filter(attribute.kind, wanted, FilterState())(
        decoder(peek_for(attribute, wanted)).decode(row)
    )


KEPT: list[tuple[str, bytes, dict[str, Any]]] = [
    ("nothing is asked of a failed line", FAILED, {}),
    ("nothing is asked of an unlabelled line", UNLABELLED, {"multilabel": "all"}),
    ("labelled", line(1), {"labelled": True}),
    ("labelled, with a failure-reason beside", line(1, failure_reason="x"), {"labelled": True}),
    ("exactly as sure", line(1, confidence=0.8), {"min_confidence": 0.8}),
    ("surer", line(1, confidence=1), {"min_confidence": 0.8}),
    ("exactly as doubtful", line(1, confidence=0.5), {"max_confidence": 0.5}),
    ("between both", line(1, confidence=0.5), {"min_confidence": 0.4, "max_confidence": 0.6}),
    ("no confidence is above 1", line(1, confidence=0.0), {"max_confidence": 1.0}),
    (
        "nobody knows, keep is typed",
        line(1, confidence=0.0),
        {"max_confidence": 0.5, "zero_confidence": "keep"},
    ),
    ("another class than the excluded one", line(1, 1), {"excluded": ("RH",)}),
    ("one class doubtful enough", multi(1, RH=0.9, LH=0.1), {"max_confidence": 0.5}),
    ("an item is left", multi(1, RH=0.9, LH=0.1), {"excluded": ("LH",), "multilabel": "trim"}),
    ("any confidence will do", line(1, confidence=0.0), {"min_confidence": 0.0}),
    ("no confidence, and any will do", line(1, confidence=None), {"min_confidence": 0.0}),
    (
        "confidence 0, keep is typed",
        line(1, confidence=0.0),
        {"min_confidence": 0.8, "zero_confidence": "keep"},
    ),
    (
        "none at all, keep is typed",
        line(1, confidence=None),
        {"min_confidence": 0.8, "zero_confidence": "keep"},
    ),
    ("this class", line(1, 0), {"classes": ("RH",)}),
    ("one of two classes", line(1, 1), {"classes": ("RH", "LH")}),
    ("a class without name, by its index", line(1, 1, class_name=None), {"classes": ("1",)}),
    ("people", line(1, human_annotated="yes"), {"human_annotated": True}),
    ("people, as failed lines spell it", line(1, human_annotated="TRUE"), {"human_annotated": True}),
    ("a model", line(1, human_annotated="no"), {"human_annotated": False}),
    ("this job", line(1, job_name="labeling-job/a"), {"jobs": ("a",)}),
    ("this job, typed with its prefix", line(1, job_name="a"), {"jobs": ("labeling-job/a", "b")}),
    ("on that moment", line(1, creation_date="2024-03-04T12:00:00"), {"after": NOON}),
    ("just before", line(1, creation_date="2024-03-04T11:59:59.999999"), {"before": NOON}),
    ("in another zone", line(1, creation_date="2024-03-04T13:30:00+02:00"), {"before": NOON}),
    ("one class sure enough", multi(1, RH=0.9, LH=0.1), {"min_confidence": 0.8}),
    ("all classes sure enough", multi(1, RH=0.9, LH=0.8), {"min_confidence": 0.8, "multilabel": "all"}),
    ("a list without classes", multi(1), {"min_confidence": 0.8, "multilabel": "all"}),
    ("one of the classes", multi(1, RH=0.9, LH=0.1), {"classes": ("LH",)}),
]

GONE: list[tuple[str, bytes, dict[str, Any]]] = [
    ("above confidence", line(1, confidence=0.51), {"max_confidence": 0.5}),
    ("above confidence", line(1, confidence=0.7), {"min_confidence": 0.4, "max_confidence": 0.6}),
    ("below confidence", line(1, confidence=0.3), {"min_confidence": 0.4, "max_confidence": 0.6}),
    ("confidence 0", line(1, confidence=0.0), {"max_confidence": 0.5}),
    ("no confidence", line(1, confidence=None), {"max_confidence": 0.5}),
    ("above confidence", multi(1, RH=0.9, LH=0.1), {"max_confidence": 0.5, "multilabel": "all"}),
    ("excluded class", line(1, 0), {"excluded": ("RH",)}),
    ("excluded class", multi(1, RH=0.9, LH=0.1), {"excluded": ("LH",)}),
    ("excluded class", multi(1, RH=0.9, LH=0.1), {"classes": ("RH",), "excluded": ("LH",)}),
    ("excluded class", multi(1, RH=0.9, LH=0.1), {"excluded": ("LH", "RH"), "multilabel": "trim"}),
    ("other class", multi(1, RH=0.9), {"classes": ("LH",), "excluded": ("burr",)}),
    ("unlabelled", UNLABELLED, {"excluded": ("RH",)}),
    ("failed", FAILED, {"labelled": True}),
    ("unlabelled", UNLABELLED, {"classes": ("RH",)}),
    ("unlabelled", line(1).replace(b'"kind": 0', b'"kind": null'), {"labelled": True}),
    ("failed", FAILED, {"min_confidence": 0.8, "zero_confidence": "keep"}),
    ("below confidence", line(1, confidence=0.79), {"min_confidence": 0.8}),
    ("below confidence", line(1, confidence=0.01), {"min_confidence": 0.8, "zero_confidence": "keep"}),
    ("confidence 0", line(1, confidence=0.0), {"min_confidence": 0.8}),
    ("confidence 0", line(1, confidence=0.0), {"min_confidence": 0.8, "zero_confidence": "drop"}),
    ("no confidence", line(1, confidence=None), {"min_confidence": 0.8}),
    ("below confidence", line(1, 1, confidence=0.1), {"min_confidence": 0.8, "classes": ("RH",)}),
    ("other class", line(1, 1), {"classes": ("RH",)}),
    ("other class", line(1, 0), {"classes": ("rh", "R")}),
    ("machine-annotated", line(1, human_annotated="no"), {"human_annotated": True}),
    ("human-annotated", line(1, human_annotated="yes"), {"human_annotated": False}),
    ("annotator unknown", line(1), {"human_annotated": True}),
    ("annotator unknown", line(1, human_annotated="maybe"), {"human_annotated": False}),
    ("other job", line(1, job_name="labeling-job/ab"), {"jobs": ("a",)}),
    ("other job", line(1), {"jobs": ("a",)}),
    ("too late", line(1, creation_date="2024-03-04T12:00:00"), {"before": NOON}),
    ("too early", line(1, creation_date="2024-03-04T11:59:59.999999"), {"after": NOON}),
    ("too early", line(1, creation_date="2024-03-04T13:30:00+02:00"), {"after": NOON}),
    ("no date", line(1, creation_date="yesterday"), {"after": NOON}),
    ("no date", line(1), {"before": NOON}),
    ("below confidence", multi(1, RH=0.9, LH=0.1), {"min_confidence": 0.8, "multilabel": "all"}),
    ("below confidence", multi(1, RH=0.7, LH=0.1), {"min_confidence": 0.8, "multilabel": "trim"}),
    ("confidence 0", multi(1, RH=0.0, LH=0.0), {"min_confidence": 0.8}),
    ("other class", multi(1, RH=0.9), {"classes": ("LH",)}),
]


@pytest.mark.parametrize(("row", "wanted"), [pytest.param(row, w, id=name) for name, row, w in KEPT])
def test_these_lines_stay(row: bytes, wanted: dict[str, Any], tmp_path: Any) -> None:
    assert why(row, Conditions(**wanted), tmp_path) is None


@pytest.mark.parametrize(
    ("reason", "row", "wanted"), [pytest.param(*case, id=f"{case[0]}: {case[2]}") for case in GONE]
)
def test_these_lines_are_dropped_for_this_reason(
    reason: str, row: bytes, wanted: dict[str, Any], tmp_path: Any
) -> None:
    assert why(row, Conditions(**wanted), tmp_path) == reason


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2018-10-18T22:18:13.527256", datetime(2018, 10, 18, 22, 18, 13, 527256, UTC)),
        ("2018-10-18T22:18:13Z", datetime(2018, 10, 18, 22, 18, 13, 0, UTC)),
        ("2018-10-18T22:18:13-07:00", datetime(2018, 10, 18, 22, 18, 13, 0, timezone(-timedelta(hours=7)))),
        ("2018-10-18", datetime(2018, 10, 18, tzinfo=UTC)),
        ("18.10.2018", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_read_as_utc_where_it_names_no_zone(text: str | None, found: datetime | None) -> None:
    assert parse_date(text) == found


def test_a_class_far_down_a_manifest_of_many_classes_is_not_missed() -> None:
    observed = FilterState(labelled=True, classes=dict.fromkeys(map(str, range(5000))))
    observed.add(FilterState(labelled=True, classes={"RH": None}, matched={"RH"}))
    observed.check("a.manifest", Conditions(classes=("RH",)), KINDS["single_label"])


@pytest.mark.parametrize(
    ("kind", "conditions", "message"),
    [
        (
            "custom",
            {"min_confidence": 0.5},
            "custom and has no confidence on its lines; leave --min-confidence out",
        ),
        ("custom", {"classes": ("RH",)}, "custom and has no class on its lines; leave --class out"),
        ("acme", {"classes": ("RH",)}, "acme and has no class on its lines; leave --class out"),
        (
            "video-object-detection",
            {"min_confidence": 0.5},
            "video-object-detection and has no confidence on its lines; leave --min-confidence out",
        ),
        (
            "image-classification",
            {"min_confidence": 0.5, "multilabel": "trim"},
            "image-classification and has nothing to trim on its lines; leave --multilabel trim out",
        ),
        (
            "semantic-segmentation",
            {"classes": ("RH",), "multilabel": "trim"},
            "semantic-segmentation and has nothing to trim on its lines; leave --multilabel trim out",
        ),
    ],
    ids=str,
)
def test_a_condition_that_means_nothing_for_a_type_is_refused(
    kind: str, conditions: dict[str, Any], message: str
) -> None:
    attribute = LabelAttribute("b", "b-metadata", f"groundtruth/{kind}", False)
    with pytest.raises(Refused) as raised:
        peek_for(attribute, Conditions(**conditions))
    assert str(raised.value) == f"b is {message}"
