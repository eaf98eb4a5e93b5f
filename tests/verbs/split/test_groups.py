"""Lines that stay together: by an expression, or as frames of a video."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools import Refused, split
from manifest_tools.verbs.split.groups import Videos


def lines(refs: list[str]) -> list[dict[str, Any]]:
    meta = {"type": "groundtruth/image-classification", "confidence": 0.9}
    return [
        {"source-ref": ref, "kind": at % 2, "kind-metadata": meta | {"class-name": "ab"[at % 2]}}
        for at, ref in enumerate(refs)
    ]


def write(folder: Path, rows: list[dict[str, Any]]) -> str:
    path = folder / "a.manifest"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def frames(videos: int, each: int) -> list[str]:
    return [f"s3://raw/v{at}/frame_{n:04}.jpg" for at in range(videos) for n in range(each)]


@given(st.lists(st.integers(0, 8), min_size=4, max_size=60), st.integers(0, 9))
def test_lines_of_one_group_never_part(
    tmp_path_factory: pytest.TempPathFactory, videos: list[int], seed: int
) -> None:
    refs = [f"s3://raw/video-{video}/{at}.jpg" for at, video in enumerate(videos)]
    folder = tmp_path_factory.mktemp("split")
    split(write(folder, lines(refs)), group=r"video-\d+", seed=seed, jobs=1)
    sides: list[set[str]] = []
    found = 0
    for name in ("train", "validation"):
        rows = [json.loads(line) for line in (folder / f"{name}.manifest").read_text().splitlines()]
        found += len(rows)
        sides.append({row["source-ref"].split("/")[3] for row in rows})
    assert not sides[0] & sides[1]
    assert found == len(refs)


def test_frames_in_several_parts_are_counted(tmp_path: Path) -> None:
    done = split(write(tmp_path, lines(frames(3, 10))), jobs=1)
    assert done.videos == Videos(3, 3)
    assert done.to_json()["videos"] == {"count": 3, "divided": 3}


@pytest.mark.parametrize(
    "refs",
    [
        pytest.param([f"s3://raw/{at}.jpg" for at in range(30)], id="pictures that are no frames"),
        pytest.param([f"s3://raw/v{at}/frame_1.jpg" for at in range(30)], id="one frame a video"),
    ],
)
def test_nothing_is_said_of(tmp_path: Path, refs: list[str]) -> None:
    assert split(write(tmp_path, lines(refs)), jobs=1).videos is None


def test_without_a_match_each_picture_is_a_group(tmp_path: Path) -> None:
    manifest = write(tmp_path, lines([f"s3://raw/{at}.jpg" for at in range(30)]))
    plain = split(manifest, str(tmp_path / "plain"), jobs=1)
    grouped = split(manifest, str(tmp_path / "grouped"), group="video-(.*)", jobs=1)
    assert plain.lines == grouped.lines
    assert grouped.to_json()["group"] == "video-(.*)"


def test_what_is_no_expression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected a regular expression"):
        split(write(tmp_path, lines(frames(2, 4))), group="(", jobs=1)
