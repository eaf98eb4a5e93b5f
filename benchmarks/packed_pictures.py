"""``python -m benchmarks.packed_pictures``: packing pictures beside ``cp -r`` and others' writers.

Every row is a whole process that reads all pictures and writes all of them. ``cp -r`` makes as many files as
there are; the others a few large ones. ``--unchecked`` looks at headers and structure; without it every
picture is decoded to an eighth of its size, which finds damage within the pixels.

``MTOOL_PEERS_PYTHON`` names the interpreter that has TensorFlow and datasets (`make test-peers` makes it).
"""

import argparse
import io
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.processes import machine, measure, megabytes, mtool

DATA = Path(__file__).parent / "data" / "packed"
DRAWN = 50  # different pictures; the others have the same bytes under other names
PEERS = os.environ.get("MTOOL_PEERS_PYTHON", "")

WEBDATASET = """
import json, webdataset
with webdataset.TarWriter("out-theirs.tar") as sink:
    for line in open("m.manifest"):
        value = json.loads(line)
        key = value["source-ref"].rpartition("/")[2].removesuffix(".jpg")
        picture = open(f"raw/{key}.jpg", "rb").read()
        sink.write({"__key__": key, "jpg": picture, "cls": value["kind"], "json": value})
"""
TENSORFLOW = """
import json, tensorflow as tf
bytes_of = lambda value: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
with tf.io.TFRecordWriter("out-theirs.tfrecord") as sink:
    for line in open("m.manifest"):
        value = json.loads(line)
        key = value["source-ref"].rpartition("/")[2]
        feature = {
            "image/encoded": bytes_of(open(f"raw/{key}", "rb").read()),
            "image/filename": bytes_of(key.encode()),
            "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[value["kind"]])),
        }
        sink.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
"""
DATASETS = """
import json, datasets
datasets.disable_progress_bars()
rows = [json.loads(line) for line in open("m.manifest")]
names = [row["source-ref"].rpartition("/")[2] for row in rows]
found = {"image": [{"bytes": open(f"raw/{name}", "rb").read(), "path": name} for name in names]}
found["label"] = [row["kind"] for row in rows]
features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(num_classes=10)})
datasets.Dataset.from_dict(found, features=features).to_parquet("out-theirs.parquet")
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A command, and the row whose time its own is compared with."""

    name: str
    command: list[str]
    makes: tuple[str, ...]


def cases(jobs: int) -> list[Case]:
    """Return the rows, those of others last."""
    rows = [Case("cp -r", ["cp", "-r", "raw", "copied"], ("copied",))]
    for form, ending in (("webdataset", ".tar"), ("tfrecord", ".tfrecord"), ("parquet", ".parquet")):
        made = (f"out{ending}", "out.json", "out.labels.txt")
        words = ("convert", "m.manifest", "--to", form, "-o", "out", "--images", "raw", "-j", str(jobs), "-q")
        rows += [
            Case(f"mtool --to {form} --unchecked", mtool(*words, "--unchecked"), made),
            Case(f"mtool --to {form}", mtool(*words), made),
        ]
    rows.append(Case("webdataset's TarWriter", [sys.executable, "-c", WEBDATASET], ("out-theirs.tar",)))
    if PEERS:
        rows.append(Case("TensorFlow's TFRecordWriter", [PEERS, "-c", TENSORFLOW], ("out-theirs.tfrecord",)))
        rows.append(Case("datasets' to_parquet", [PEERS, "-c", DATASETS], ("out-theirs.parquet",)))
    return rows


def make_pictures(folder: Path, count: int) -> int:
    """Write pictures of about 60 kB and their manifest; return the bytes of all pictures."""
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    plain = np.kron(random.integers(0, 256, (60, 80, 3)), np.ones((8, 8, 1), np.int64))
    drawn = [_jpeg(plain + random.integers(-25, 25, plain.shape)) for _ in range(min(DRAWN, count))]
    metadata = {"confidence": 0.9, "job-name": "job", "type": "groundtruth/image-classification"}
    with open(folder / "m.manifest", "w", encoding="utf-8") as manifest:
        for number in range(count):
            (folder / "raw" / f"{number:06}.jpg").write_bytes(drawn[number % len(drawn)])
            named = metadata | {"class-name": f"class {number % 10}"}
            line = {"source-ref": f"s3://raw/{number:06}.jpg", "kind": number % 10, "kind-metadata": named}
            manifest.write(json.dumps(line) + "\n")
    return sum(len(drawn[number % len(drawn)]) for number in range(count))


def _jpeg(pixels: "np.typing.NDArray[np.int64]") -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=60)
    return out.getvalue()


def main() -> None:
    """Make the pictures and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pictures", type=int, default=5_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--jobs", type=int, default=2)
    chosen = options.parse_args()
    shutil.rmtree(DATA, ignore_errors=True)
    size = make_pictures(DATA, chosen.pictures)
    print(f"{machine()}\n\n{chosen.pictures:,} pictures, {megabytes(size)}, -j {chosen.jobs}\n")
    print(
        "| command | wall | processor | largest process | beside cp -r |\n| --- | ---: | ---: | ---: | ---: |"
    )
    copied = 0.0
    for case in cases(chosen.jobs):
        found = measure(case.command, chosen.runs, DATA, makes=case.makes)
        copied = copied or found.wall
        figures = f"{found.wall:.2f} s | {found.processor:.2f} s | {megabytes(found.largest)}"
        print(f"| {case.name} | {figures} | {copied / found.wall:.2f} times as fast |", flush=True)


if __name__ == "__main__":
    main()
