"""Ground Truth lines as jobs write them and people leave them, one by one and as whole manifests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from manifest_tools.io.sources import BLOCK, Block, Source

SINGLE = "groundtruth/image-classification"
MULTI = "groundtruth/image-classification-multilabel"
NAMES = ("RH", "LH", "scratch", "burr", "dent")
FAILED = b'{"source-ref":"s3://raw/f.jpg","kind-metadata":{"retry-count":1,"failure-reason":"expired"}}'
UNLABELLED = b'{"source-ref": "s3://raw/u.jpg"}'

# Two bytes short of 1 MB, so that a dozen lines make three blocks of the size that commands read.
FAT = 999_998


def line(
    picture: object, label: int = 0, confidence: float | None = 0.9, pad: int = 0, **fields: Any
) -> bytes:
    """Return a line with one class; ``fields`` go into the metadata, `_` standing for `-`."""
    metadata: dict[str, Any] = {"class-name": NAMES[label], "confidence": confidence, "type": SINGLE}
    metadata |= {name.replace("_", "-"): value for name, value in fields.items()}
    value = {"source-ref": f"s3://raw/{picture}.jpg", "kind": label, "kind-metadata": metadata}
    return json.dumps(value | ({"pad": "x" * pad} if pad else {})).encode()


def multi(picture: object, **confidences: float) -> bytes:
    """Return a line with several classes: ``multi(1, RH=0.9, LH=0.2)``."""
    indices = [NAMES.index(name) for name in confidences]
    metadata = {
        "class-map": {str(index): NAMES[index] for index in indices},
        "confidence-map": {str(index): confidences[NAMES[index]] for index in indices},
        "type": MULTI,
    }
    return json.dumps(
        {"source-ref": f"s3://raw/{picture}.jpg", "kind": indices, "kind-metadata": metadata}
    ).encode()


def boxes(picture: object, *found: tuple[str, float], **fields: Any) -> bytes:
    """Return a line with boxes: ``boxes(1, ("RH", 0.9), ("RH", 0.2))``."""
    indices = [NAMES.index(name) for name, _ in found]
    annotations = [{"class_id": index, "left": 1, "top": 2, "width": 30, "height": 40} for index in indices]
    label = {"image_size": [{"width": 640, "height": 480, "depth": 3}], "annotations": annotations}
    metadata = {
        "objects": [{"confidence": confidence} for _, confidence in found],
        "class-map": {str(index): NAMES[index] for index in sorted(indices)},
        "type": "groundtruth/object-detection",
    } | fields
    return json.dumps(
        {"source-ref": f"s3://raw/{picture}.jpg", "kind": label, "kind-metadata": metadata}
    ).encode()


def cuboids(scan: object, *found: tuple[str, float]) -> bytes:
    """Return a line with cuboids, as ``boxes`` does."""
    indices = [NAMES.index(name) for name, _ in found]
    metadata = {
        "objects": [{"confidence": confidence} for _, confidence in found],
        "class_map": {str(index): NAMES[index] for index in sorted(indices)},
        "type": "groundtruth/point_cloud_object_detection",
    }
    value = {
        "source-ref": f"s3://raw/{scan}.bin",
        "source-ref-metadata": {"format": "binary/xyzi"},
        "kind": {"annotations": [{"object-name": "x:1", "class-id": index} for index in indices]},
        "kind-metadata": metadata,
    }
    return json.dumps(value).encode()


def entities(words: object, *found: tuple[str, float]) -> bytes:
    """Return a line with named entities, as ``boxes`` does."""
    spans = [{"label": name, "startOffset": 0, "endOffset": 4} for name, _ in found]
    value = {
        "source": f"text {words}",
        "kind": {"annotations": {"labels": [{"label": name} for name in NAMES], "entities": spans}},
        "kind-metadata": {
            "entities": [{"confidence": confidence} for _, confidence in found],
            "type": "groundtruth/text-span",
        },
    }
    return json.dumps(value).encode()


def mask(picture: object, *names: str, confidence: float = 0.9, twin: str = "kind-ref-metadata") -> bytes:
    """Return a line with a mask of some classes, and of the background."""
    shown = [(0, "BACKGROUND"), *((NAMES.index(name) + 1, name) for name in names)]
    colours = {
        str(index): {"class-name": name, "hex-color": f"#{index:06x}", "confidence": confidence}
        for index, name in shown
    }
    metadata = {"internal-color-map": colours, "type": "groundtruth/semantic-segmentation"}
    value = {"source-ref": f"s3://raw/{picture}.jpg", "kind-ref": f"s3://out/{picture}.png", twin: metadata}
    return json.dumps(value).encode()


def sequence(number: object, *names: str) -> bytes:
    """Return a line of a video whose frames show some classes."""
    class_map = {str(NAMES.index(name)): name for name in names}
    value = {
        "source-ref": f"s3://raw/{number}.json",
        "kind-ref": f"s3://out/{number}/SeqLabel.json",
        "kind-ref-metadata": {"class-map": class_map, "type": "groundtruth/video-object-tracking"},
    }
    return json.dumps(value).encode()


def write(path: Path, *lines: bytes, end: bytes = b"\n") -> str:
    """Write a manifest whose last line ends in ``end``."""
    path.write_bytes(b"\n".join(lines) + end)
    return str(path)


def lines_of(*paths: Path | str) -> list[bytes]:
    """Return the lines of files with their line ends, but for blank ones."""
    data = [Path(path).read_bytes().split(b"\n") for path in paths]
    whole = [line + b"\n" for lines in data for line in lines[:-1]]
    return [line for line in (*whole, *(lines[-1] for lines in data)) if line.strip()]


# What only spans keep: duplicate keys, spellings of numbers, escapes, spacing.
_ODD = st.sampled_from(
    [
        "",
        '"x":1.10,"x":1.1,',
        ' "n" : 123456789012345678901234567890 ,',
        '"e":"caf\\u00e9 \\/ \\"",',
        '"ü":"€ 😀",',
    ]
)


@st.composite
def labelled(draw: st.DrawFn, confidences: st.SearchStrategy[float]) -> bytes:
    """Draw a labelled line with one class, oddly written, of one of a few pictures."""
    label = draw(st.integers(0, 3))
    metadata = json.dumps({"class-name": NAMES[label], "confidence": draw(confidences), "type": SINGLE})
    picture = draw(st.integers(0, 60))
    text = f'{{{draw(_ODD)}"source-ref":"s3://raw/{picture}.jpg","kind":{label},"kind-metadata":{metadata}}}'
    return text.encode()


@st.composite
def manifests(draw: st.DrawFn, confidences: st.SearchStrategy[float] | None = None) -> bytes:
    """Draw a manifest with at least one labelled line, and with lines of every other kind."""
    usual = st.sampled_from([0.0, 0.3, 0.8, 0.95])
    some = labelled(usual if confidences is None else confidences)
    others = st.sampled_from([FAILED, UNLABELLED, b"", b"  "])
    rows = [draw(some), *draw(st.lists(some | others, max_size=25))]
    ended = [row + draw(st.sampled_from([b"\n", b"\r\n"])) for row in draw(st.permutations(rows))]
    ended[-1] = draw(st.sampled_from([ended[-1], ended[-1].rstrip(b"\r\n")]))
    return b"".join(ended)


class Chopped(Source):
    """A file that comes in blocks of ``step`` bytes or one longer line, whatever is asked for."""

    step = 1

    def blocks(self, size: int = 0) -> Iterator[Block]:
        """Yield small blocks."""
        return Source.blocks(self, self.step)


def chopped(path: Path | str, step: int) -> Source:
    """Return a file as a source of small blocks."""
    source = Chopped(str(path), str(path), Path(path).stat().st_size)
    source.step = step
    return source


class Counted(Source):
    """A file that counts how often its blocks are read from the first to the last."""

    passes = 0

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Yield the blocks, once more."""
        self.passes += 1
        return Source.blocks(self, size)


def counted(path: Path | str) -> Counted:
    """Return a file that counts its readers; nobody can read it behind its back, for its name is no path."""
    return Counted(f"counted {Path(path).name}", str(path), Path(path).stat().st_size)
