import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.verbs.validate.objects.inspect import MAX_JSON
from manifest_tools.verbs.validate.objects.sequence_files import (
    Annotation,
    SequenceFile,
    read_seq_label,
    read_sequence,
    seq_label_findings,
    sequence_findings,
)
from tests.objects import HTML, Workspace

DETECTION = "groundtruth/video-object-detection"
TRACKING = "groundtruth/video-object-tracking"
POINTS = "groundtruth/point_cloud_object_tracking"


def sequence(frames: int = 2, **changes: Any) -> dict[str, Any]:
    names = [{"frame-no": number, "frame": f"f{number}.jpeg"} for number in range(frames)]
    whole = {"seq-no": 1, "prefix": "s3://raw/video/", "number-of-frames": frames, "frames": names}
    return whole | {name.replace("_", "-"): value for name, value in changes.items()}


def box(class_id: Any = "0", **more: Any) -> dict[str, Any]:
    place = {"height": 1, "width": 2, "top": 3, "left": 4, "class-id": class_id}
    return place | {name.replace("_", "-"): value for name, value in more.items()}


def labels(
    *frames: list[dict[str, Any]], key: str = "detection", tool: str = "annotations"
) -> dict[str, Any]:
    listed = [{"frame-no": str(at), "frame": f"f{at}.jpeg", tool: found} for at, found in enumerate(frames)]
    return {f"{key}-annotations": listed}


def data(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_sequence_is_read() -> None:
    found = read_sequence(data(sequence()))
    assert (found.number_of_frames, found.prefix, found.seq_no) == (2, "s3://raw/video/", 1)
    assert [frame.frame for frame in found.frames] == ["f0.jpeg", "f1.jpeg"]
    assert list(found.uris()) == ["s3://raw/video/f0.jpeg", "s3://raw/video/f1.jpeg"]


def test_what_was_detected_is_read() -> None:
    found = read_seq_label(data(labels([box("7")], [])))
    assert not found.tracking
    assert found.frames[0].annotations == (Annotation("7", None, None, 4, 3, 2, 1),)
    assert found.frames[0].annotations[0].index == 7
    assert (found.frames[0].number, found.frames[1].name) == ("0", "f1.jpeg")


def test_what_was_tracked_is_read() -> None:
    tracked = labels([box(object_id="a", object_name="car:1")], [box(object_id="a"), box(object_id="b")])
    found = read_seq_label(data({"tracking-annotations": tracked["detection-annotations"]}))
    assert found.tracking and found.objects() == {"a", "b"}
    assert found.classes() == {"0": 3}


@pytest.mark.parametrize("tool", ["annotations", "polylines", "polygons", "keypoints"])
def test_every_tool_s_annotations_are_read(tool: str) -> None:
    found = read_seq_label(data(labels([{"class-id": "1", "vertices": [{"x": 1, "y": 2}]}], tool=tool)))
    assert found.classes() == {"1": 1}


def test_point_clouds_spell_their_frames_otherwise() -> None:
    cuboid = {"class-id": 0, "center-x": -2.29, "object-id": "a"}
    frames = [{"frame-number": 0, "frame-name": "0.txt.pcd", "annotations": [cuboid]}]
    found = read_seq_label(data({"tracking-annotations": frames}))
    assert (found.spatial, found.frames[0].number, found.frames[0].name) == (True, 0, "0.txt.pcd")
    clouds = read_sequence(data({"prefix": "s3://raw/", "frames": [{"frame-no": 300, "frame": "0.txt"}]}))
    assert list(seq_label_findings(found, ("0",), clouds)) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"[]", "expected object, got array", id="a list"),
        pytest.param(b"{}", "missing required field frames", id="no frames"),
        pytest.param(
            b'{"frames": 3}', "expected array, got int - at $.frames", id="frames that are a number"
        ),
        pytest.param(b'{"frames": [{"frame": 3}]}', "expected str, got int", id="a name that is a number"),
        pytest.param(b'{"frames": [], "prefix": "\xff"}', "not JSON", id="no UTF-8"),
        pytest.param(b'{"x": ' + b"[" * 100_000, "not JSON", id="brackets without end"),
    ],
)
def test_what_is_no_sequence_file(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError) as raised:
        read_sequence(text)
    assert reason.lower() in str(raised.value).lower()


@given(st.binary(max_size=80) | st.from_regex(rb'\{"(detection|tracking)-annotations": .{0,40}\}'))
def test_no_bytes_break_the_readers(text: bytes) -> None:
    for read in (read_sequence, read_seq_label):
        try:
            read(text)
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(sequence(), [], id="a right one"),
        pytest.param(sequence(2000), [], id="as many frames as may be"),
        pytest.param(
            sequence(2, number_of_frames=3),
            [("MT431", "number-of-frames is 3, but 2 frames are listed")],
            id="another number of frames",
        ),
        pytest.param(
            sequence(prefix="s3://raw/video"),
            [("MT432", "expected a prefix that ends in a slash, found 's3://raw/video'")],
            id="a prefix without a slash",
        ),
        pytest.param(
            sequence(2001), [("MT433", "expected at most 2,000 frames, found 2,001")], id="too many frames"
        ),
    ],
)
def test_findings_of_a_sequence(value: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert list(sequence_findings(read_sequence(data(value)))) == expected


LABELS = {
    "right": (labels([box()], [box()]), []),
    "a class that the map does not have": (
        labels([box("1"), box("1")], [box()]),
        [("MT434", "2 annotations have class-id '1', which is not in the class-map")],
    ),
    "a class-id that is a number": (labels([box(0)], [box(0)]), []),
    "no class-id": (labels([box(None)]), [("MT434", "1 annotation has no class-id")]),
    "more frames than the sequence has": (
        labels([], [], []),
        [
            ("MT435", "3 frames are labelled, but the sequence lists 2 frames"),
            ("MT435", "frames are labelled that the sequence does not list: 'f2.jpeg'"),
        ],
    ),
    "frames of another sequence": (
        {"detection-annotations": [{"frame-no": 0, "frame": "x.jpeg", "annotations": []}]},
        [("MT435", "frames are labelled that the sequence does not list: 'x.jpeg'")],
    ),
    "something tracked without an id": (
        labels([box()], [box(object_id="a")], key="tracking"),
        [("MT436", "1 annotation has no object-id")],
    ),
    "one id twice on a frame": (
        labels([box(object_id="a"), box(object_id="a")], [box(object_id="a")], key="tracking"),
        [("MT436", "an object-id is used twice on one frame: 'f0.jpeg'")],
    ),
}


@pytest.mark.parametrize(("value", "expected"), LABELS.values(), ids=LABELS)
def test_findings_of_a_seq_label(value: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    known: SequenceFile = read_sequence(data(sequence()))
    assert list(seq_label_findings(read_seq_label(data(value)), ("0",), known)) == expected


def test_without_a_class_map_nothing_is_said_of_classes() -> None:
    assert list(seq_label_findings(read_seq_label(data(labels([box("9")]))))) == []


class TestThroughAManifest:
    def line(self, key: str = "seq.json", label: str = "SeqLabel.json", type: str = DETECTION) -> Any:
        metadata = {"class-map": {"0": "car"}, "type": type}
        refs = {"source-ref": f"s3://raw/{key}", "cars-ref": f"s3://raw/{label}"}
        return refs | {"cars-ref-metadata": metadata}

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Workspace:
        workspace = Workspace(tmp_path)
        workspace.put("seq.json", data(sequence()))
        workspace.put("SeqLabel.json", data(labels([box()], [box()])))
        return workspace

    def test_right_ones(self, workspace: Workspace) -> None:
        assert workspace.check(self.line()) == []

    def test_wrong_ones(self, workspace: Workspace) -> None:
        workspace.put("odd.json", data(sequence(1, number_of_frames=2)))
        workspace.put("strange.json", data(labels([box("3")])))
        found = workspace.check(
            self.line("odd.json"), self.line(label="strange.json"), self.line(label="gone.json")
        )
        assert [(one.line, one.code, one.path) for one in found] == [
            (1, "MT431", "$.source-ref"),
            (1, "MT435", "$.cars-ref"),
            (1, "MT435", "$.cars-ref"),
            (2, "MT434", "$.cars-ref"),
            (3, "MT401", "$.cars-ref"),
        ]

    @pytest.mark.parametrize(
        ("content", "code", "words"),
        [
            pytest.param(HTML, "MT421", "expected JSON, found an HTML page", id="a page"),
            pytest.param(b"", "MT421", "expected JSON, found an empty file", id="nothing"),
            pytest.param(b"{}", "MT430", "not a sequence file: .* frames", id="other JSON"),
            pytest.param(b'{"frames": [', "MT430", "not a sequence file: not JSON: ", id="cut off"),
            pytest.param(
                b"{" + b" " * MAX_JSON,
                "MT411",
                "not checked, since it has more than 16,777,216",
                id="too long",
            ),
        ],
    )
    def test_what_is_no_sequence(self, workspace: Workspace, content: bytes, code: str, words: str) -> None:
        workspace.put("bad.json", content)
        (found,) = workspace.check(self.line("bad.json", type=TRACKING))[:1]
        assert (found.code, found.path) == (code, "$.source-ref")
        assert re.match(words, found.message)

    def test_point_clouds_are_tracked_too(self, workspace: Workspace) -> None:
        workspace.put("bad.json", b"[1]")
        assert [one.code for one in workspace.check(self.line("bad.json", type=POINTS))] == ["MT430"]
