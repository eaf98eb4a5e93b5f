"""What may be thrown at a command, and what it may answer: a problem or a line that says what is wrong."""

import contextlib
import gzip
import io
import json
import re
import signal
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from manifest_tools.cli.app import app
from trainers.mxnet_files.params import write_params

IMAGE = '"type":"groundtruth/image-classification"'
LINE = f'{{"source-ref":"s3://b-1/1.jpg","hand":0,"hand-metadata":{{"class-name":"RH","confidence":0.9,{IMAGE}}}}}'

# A command a row; IN is the hostile file, OUT a place in an empty folder. Data goes to a file, so that what
# comes out on the screen is for people. `-j 1`: in this process.
COMMANDS: dict[str, tuple[str, ...]] = {
    "validate": ("validate", "IN", "-j", "1"),
    "validate two": ("validate", "IN", "OTHER", "--strict", "-j", "1"),
    "validate as JSON": ("validate", "IN", "--json", "-j", "1"),
    "validate as SARIF": ("validate", "IN", "--format", "sarif", "-j", "1"),
    "validate for GitHub": ("validate", "IN", "--format", "github", "-j", "1"),
    "validate and fix": ("validate", "COPY", "--fix", "-j", "1"),
    **{
        f"validate for {purpose}": ("validate", "IN", "OTHER", "--for", purpose, "-j", "1")
        for purpose in ("builtin", "object-detection", "semantic-segmentation", "rekognition")
    },
    "validate for a named label": (
        *("validate", "IN", "OTHER", "--for", "builtin", "--label-attribute", "hand", "-j", "1"),
    ),
    "validate with the pictures": ("validate", "IN", "--objects", "--images", "PICTURES", "-j", "1"),
    "diff": ("diff", "IN", "OTHER", "-j", "1"),
    "diff as JSON": ("diff", "OTHER", "IN", "--json", "-j", "1"),
    "diff as Markdown": ("diff", "OTHER", "IN", "--markdown", "-j", "1"),
    "diff --textconv": ("diff", "--textconv", "IN", "-j", "1"),
    "merge": ("merge", "IN", "OTHER", "-o", "OUT/a.manifest", "-j", "1"),
    "merge the other way": ("merge", "OTHER", "IN", "-o", "OUT/a.manifest", "-j", "1"),
    "stats": ("stats", "IN", "-j", "1"),
    "stats as JSON": ("stats", "IN", "--json", "-j", "1"),
    "stats as a page": ("stats", "IN", "--plot", "OUT/a.html", "-j", "1"),
    "look": ("look", "IN", "OTHER", "--images", "PICTURES", "-o", "OUT/a.html", "-j", "1"),
    "look as a picture": ("look", "IN", "--images", "PICTURES", "-o", "OUT/a.png", "-j", "1"),
    "diff as a page": ("diff", "OTHER", "IN", "--html", "OUT/a.html", "-j", "1"),
    "rewrite --lab": ("rewrite", "IN", "--lab", "lab3", "-o", "OUT/a.manifest", "-j", "1"),
    "rewrite --rename-class": ("rewrite", "IN", "--rename-class", "RH=x", "-o", "OUT/a.manifest", "-j", "1"),
    "filter by confidence": ("filter", "IN", "--min-confidence", "0.5", "-o", "OUT/a.manifest", "-j", "1"),
    "filter by class": ("filter", "IN", "--class", "RH", "-o", "OUT/a.manifest", "-j", "1"),
    "filter and trim": (
        *("filter", "IN", "--min-confidence", "0.5", "--multilabel", "trim"),
        *("-o", "OUT/a.manifest", "--rejects", "OUT/b.manifest", "-j", "1"),
    ),
    "split": ("split", "IN", "-o", "OUT", "-j", "1"),
    "convert to COCO": ("convert", "IN", "--to", "coco", "-o", "OUT/a", "-j", "1"),
    "convert from COCO": ("convert", "--from", "coco", "IN", "-o", "OUT/a.manifest"),
    "convert from CSV": ("convert", "--from", "csv", "IN", "-o", "OUT/a.manifest"),
    "convert to a folder": (
        *("convert", "IN", "--to", "folder", "-o", "OUT/a", "--images", "PICTURES", "-j", "1"),
    ),
    "convert to RecordIO": (
        *("convert", "IN", "--to", "recordio", "-o", "OUT/a", "--images", "PICTURES", "-j", "1"),
    ),
    "validate a list": ("validate", "LIST", "-j", "1"),
    "validate a list for a job": ("validate", "LIST", "LIST2", "--for", "builtin", "-j", "1"),
    "validate a RecordIO file": ("validate", "RECORDS", "-j", "1"),
    "rec list": ("rec", "list", "RECORDS"),
    "rec verify": ("rec", "verify", "RECORDS", "--decode", "-j", "1"),
    "rec extract": ("rec", "extract", "RECORDS", "-o", "OUT/a"),
    "rec merge": ("rec", "merge", "RECORDS", "RECORDS", "-o", "OUT/a.rec", "--renumber"),
    "rec shard": ("rec", "shard", "RECORDS", "--shards", "2", "-o", "OUT"),
    "rec reindex": ("rec", "reindex", "RECORDS", "-o", "OUT/a.idx"),
    "rec repair": ("rec", "repair", "RECORDS", "-o", "OUT/a.rec", "-j", "1"),
    "validate for what a file says": ("validate", "OTHER", "--for", "builtin", "--hyperparameters", "IN"),
    "split with a class table": ("split", "OTHER", "--classes", "IN", "-o", "OUT", "-j", "1"),
    "evaluate a model": ("evaluate", "OTHER", "--model", "MODEL", "--images", "PICTURES"),
    **{
        f"predict with {what}": ("predict", "--model", place, "PICTURE")
        for what, place in (("an archive", "ARCHIVE"), ("a graph", "GRAPH"), ("weights", "WEIGHTS"))
    },
    "pipe": ("pipe", "IN", "--images", "PICTURES", "-o", "OUT/a.pipe", "-j", "1"),
}

# A model of the built-in algorithm, as small as one can be.
SYMBOL, PARAMS = "image-classification-symbol.json", "image-classification-0001.params"
_NODES = [
    {"op": "null", "name": "data", "inputs": []},
    {"op": "null", "name": "fc1_weight", "inputs": []},
    {"op": "Flatten", "name": "flat", "inputs": [[0, 0, 0]]},
    {
        "op": "FullyConnected",
        "name": "fc1",
        "attrs": {"num_hidden": "2", "no_bias": "True"},
        "inputs": [[2, 0, 0], [1, 0, 0]],
    },
    {"op": "softmax", "name": "softmax", "inputs": [[3, 0, 0]]},
]
BUILTIN: dict[str, bytes] = {
    SYMBOL: json.dumps({"nodes": _NODES, "arg_nodes": [0, 1], "heads": [[4, 0, 0]]}).encode(),
    PARAMS: write_params({"arg:fc1_weight": np.zeros((2, 12), np.float32)}),
    "model-shapes.json": b'[{"name": "data", "shape": [1, 3, 2, 2]}]',
}


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


_SECONDS = 60
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Misbehaved(AssertionError):
    """A command that answered in a way that no input may bring about."""


def throw(data: bytes, words: Sequence[str], folder: Path) -> str:
    """Give a command a file with these bytes; returns what it printed, raises Misbehaved."""
    places = _places(data, folder)
    with _deadline():
        result = CliRunner().invoke(app, [_placed(word, places) for word in words])
    told = result.stdout + result.stderr
    for wrong in _wrong(result.exit_code, told, result.stderr):
        raise Misbehaved(f"mtool {' '.join(words)}: {wrong}; it printed {told[-2000:]!r}")
    return told


def _wrong(exit_code: int, told: str, remarks: str) -> Iterator[str]:
    if exit_code not in (0, 1, 2, 3):
        yield f"ended with {exit_code}"
    if "Traceback" in told:
        yield "printed a traceback"
    if steers := _STEERS.search(told):
        yield f"printed {steers[0]!r}"
    if exit_code in (2, 3) and len(remarks.splitlines()) != 1:
        yield "refused in more than one line"


def _places(data: bytes, folder: Path) -> dict[str, str]:
    endings = {"LIST": "lst", "LIST2": "lst", "RECORDS": "rec"}
    hostile = ("IN", "COPY", *endings)
    places = {name: folder / f"{name}.{endings.get(name, 'manifest')}" for name in (*hostile, "OTHER")}
    for name in hostile:
        places[name].write_bytes(data)
    places["OTHER"].write_text(LINE.replace("1.jpg", "2.jpg") + "\n")
    for name in ("OUT", "PICTURES", "MODEL"):
        places[name] = folder / name
        places[name].mkdir(exist_ok=True)
    (places["MODEL"] / "classes.json").write_bytes(data)
    places["PICTURE"] = folder / "1.png"
    Image.new("RGB", (2, 2)).save(places["PICTURE"])
    places["ARCHIVE"] = folder / "model.tar.gz"
    places["ARCHIVE"].write_bytes(gzip.compress(data, 1))
    for name, hostile_file in (("GRAPH", SYMBOL), ("WEIGHTS", PARAMS)):
        places[name] = folder / name
        places[name].mkdir(exist_ok=True)
        for file, content in {**BUILTIN, hostile_file: data}.items():
            (places[name] / file).write_bytes(content)
    for left in places["OUT"].rglob("*"):
        if left.is_file():
            left.unlink()
    return {name: str(path) for name, path in places.items()}


def _placed(word: str, places: dict[str, str]) -> str:
    first, slash, rest = word.partition("/")
    return places[first] + slash + rest if first in places else word


@contextlib.contextmanager
def _deadline() -> Iterator[None]:
    def hangs(number: int, frame: FrameType | None) -> None:
        raise Misbehaved(f"no answer within {_SECONDS} seconds")

    before: Callable[[int, FrameType | None], object] | int | None = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _said(name: str) -> bytes:
    return LINE.replace('"RH"', json.dumps(name)).encode()


GOOD = LINE.encode()
_FAILED = b'{"source-ref":"s3://b-1/9.jpg","hand-metadata":{"failure-reason":"x"}}'
_BOXES = (
    b'{"source-ref":"s3://b-1/1.jpg","hand":{"image_size":[{"width":9,"height":9,"depth":3}],"annotations":'
    b'[{"class_id":0,"left":1,"top":1,"width":2,"height":2}]},"hand-metadata":{"objects":[{"confidence":0.5}],'
    b'"class-map":{"0":"RH"},"type":"groundtruth/object-detection"}}'
)
_SEVERAL = (
    b'{"source-ref":"s3://b-1/1.jpg","hand":[1],"hand-metadata":{"class-map":{"1":"RH"},'
    b'"confidence-map":{"1":0.5},"type":"groundtruth/image-classification-multilabel"}}'
)
# By what is wrong with them.
FILES: dict[str, bytes] = {
    "nothing at all": b"",
    "the graph of a model": BUILTIN[SYMBOL],
    "the weights of a model": BUILTIN[PARAMS],
    "a model that is packed": _tar(BUILTIN),
    "broken UTF-8": GOOD.replace(b"RH", b"\xff\xfe\xc3") + b"\n",
    "NUL bytes between": GOOD + b"\n\0\0\0\n" + GOOD + b"\n",
    "NUL bytes inside a string": GOOD.replace(b"RH", b"R\0H") + b"\n",
    "NUL bytes alone": bytes(5000),
    "an escaped NUL": GOOD.replace(b"RH", b"R\\u0000H") + b"\n",
    "a lone surrogate for a class": GOOD.replace(b"RH", b"\\ud800") + b"\n",
    "a lone surrogate in a key": GOOD.replace(b"hand", b"ha\\udcffnd") + b"\n",
    "a lone surrogate in a URI": GOOD.replace(b"1.jpg", b"\\udfff.jpg") + b"\n",
    "a byte-order mark": b"\xef\xbb\xbf" + GOOD + b"\n",
    "UTF-16": GOOD.decode().encode("utf-16"),
    "NaN": GOOD.replace(b"0.9", b"NaN") + b"\n",
    "Infinity": GOOD.replace(b"0.9", b"-Infinity") + b"\n",
    "a number of 400 digits as confidence": GOOD.replace(b"0.9", b"9" * 400) + b"\n",
    "a number of 400 digits as label": GOOD.replace(b":0,", b":" + b"9" * 400 + b",") + b"\n",
    "a number of 400 digits as label, negative": GOOD.replace(b":0,", b":-" + b"9" * 400 + b",") + b"\n",
    "a number of 10,000 digits": GOOD.replace(b":0,", b":" + b"9" * 10_000 + b",") + b"\n",
    "an exponent that no machine holds": GOOD.replace(b"0.9", b"1e999999999") + b"\n",
    "100,000 brackets": b"[" * 100_000 + b"\n",
    "100,000 brackets in a field": b'{"source-ref":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "100,000 brackets in the label": GOOD.replace(b":0,", b":" + b"[" * 10**5 + b"]" * 10**5 + b",") + b"\n",
    "100,000 objects in each other": b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n",
    "a class of 1 MB with control characters": _said("\x1b[31m\x07\u202e\u0085" * 100_000) + b"\n",
    "an attribute of 1 MB with control characters": GOOD.replace(b"hand", b"\\u001b[2Jx" * 90_000) + b"\n",
    "escapes in everything": GOOD.replace(b"RH", b"\\u001b]0;x\\u0007").replace(b"1.jpg", b"\\u001b[2J")
    + b"\n",
    "a URI that leads out": GOOD.replace(b"1.jpg", b"../../../../etc/passwd") + b"\n",
    "a class that leads out": _said("../../../../tmp/x") + b"\n",
    "a class called as a device": _said("/dev/stdout") + b"\n",
    "10,000 keys": json.dumps({f"k{n}": n for n in range(10_000)}).encode() + b"\n",
    "200 label attributes": json.dumps(
        {"source-ref": "s3://b-1/k"}
        | {f"k{n}{end}": value for n in range(200) for end, value in (("", 0), ("-metadata", {}))}
    ).encode()
    + b"\n",
    "200,000 blank lines": b"\n" * 200_000,
    "only a brace": b"{",
    "no line end in 4 MB of zeros": b"0" * (4 << 20),
    "a gzip file under another name": b"\x1f\x8b\x08\x00" + bytes(100),
    "broken UTF-8 beside a failed line": GOOD + b"\n" + _FAILED.replace(b"x", b"\xe0") + b"\n" + _FAILED,
    "broken UTF-8 in a key that nothing asks for": GOOD[:-1] + b',"\xff":1}\n',
    "broken UTF-8 in a key beside boxes": _BOXES[:-1] + b',"\xff":1}\n' + _BOXES,
    "an exponent that no machine holds beside a failed line": _FAILED[:-1] + b',"n":1e999}\n' + GOOD,
    "true for a map of confidences": _SEVERAL.replace(b'{"1":0.5}', b"true") + b"\n",
    "arrays for maps": _SEVERAL.replace(b'{"1":0.5}', b"[1]").replace(b'{"1":"RH"}', b"[[]]") + b"\n",
    "an array for a type": _SEVERAL.replace(b'"groundtruth/image-classification-multilabel"', b"[]") + b"\n",
    "true for the confidences of boxes": _BOXES.replace(b'[{"confidence":0.5}]', b"true") + b"\n",
    "every label form at once": b"".join(
        GOOD.replace(b":0,", b":" + label + b",") + b"\n"
        for label in (
            b"null",
            b"true",
            b"-1",
            b"1.5",
            b'"x"',
            b"[]",
            b"{}",
            b"[null]",
            b'[{"a":[]}]',
            b'"\\u0000"',
        )
    ),
}
