"""The table of data set formats, and what is looked up in it."""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import either
from manifest_tools.images.integrity import FORMATS as PICTURE_FORMATS

if TYPE_CHECKING:
    from manifest_tools.groundtruth.annotations import PictureLabelKind


@dataclass(frozen=True, slots=True)
class PictureDefaults:
    """What a format does with pictures where no option says otherwise."""

    resize: int | None
    """Pixels of the shorter edge; None copies the bytes as they are."""

    accepted: tuple[str, ...]
    """The formats of pictures that may go into it as they are."""


@dataclass(frozen=True, slots=True)
class Format:
    """What is known of a data set format before its module is imported."""

    module: str
    labels: "frozenset[PictureLabelKind]"
    """The kinds of labels that it can hold."""

    pictures: Literal["packed", "copied", "named"]
    """What becomes of pictures: packed into a file, copied one by one, or only named and never opened."""

    output: Literal["files", "folder"]
    """Whether it writes some files for each part, or one folder for all parts."""

    endings: tuple[str, ...] = ()
    """Endings of its main file, the usual one first."""

    defaults: PictureDefaults | None = None
    """None for a format that only names pictures."""

    writes: bool = True
    reads: bool = False
    stands_in: tuple[str, ...] = ()
    """What shows that it is named where a manifest is: the ending of a file, or a name in a folder."""

    report: bool = True
    """Whether a report in JSON stands beside the output; without, the file itself has the class table."""

    extra: str | None = None
    """The extra of pip that it needs."""

    holds: frozenset[str] = frozenset()
    """What it holds of a line beside picture and label, in the words of ``verbs/convert/loss``."""

    precision: float = 1e-6
    """How many pixels an edge of a box may be off after writing and reading."""

    shards: bool = False
    """Whether a part may be cut into several files."""

    beside: bool = False
    """Whether a format that packs pictures may also leave them where they are, and name them."""


PROVENANCE = frozenset(("job-name", "human-annotated", "creation-date"))
"""What Ground Truth says of where a label comes from."""

# By the word of `--to` and `--from`.
FORMATS = {
    "images": Format(
        "manifest_tools.formats.images",
        frozenset(),
        "named",
        "folder",
        writes=False,
        reads=True,
    ),
    "recordio": Format(
        "manifest_tools.formats.recordio",
        frozenset(("single_label", "multi_label")),
        "packed",
        "files",
        (".rec",),
        # 256 leaves room to crop the 224 x 224 of the built-in algorithm, which takes JPEG and PNG.
        PictureDefaults(resize=256, accepted=("JPEG", "PNG")),
        reads=True,
        stands_in=(".rec",),
        shards=True,
    ),
    "lst": Format(
        "manifest_tools.formats.lst",
        frozenset(("single_label", "multi_label")),
        "copied",
        "folder",
        (".lst",),
        # What the built-in algorithm takes.
        defaults=PictureDefaults(resize=None, accepted=("JPEG", "PNG")),
        reads=True,
        stands_in=("images_lst", "train_lst"),
    ),
    "folder": Format(
        "manifest_tools.formats.image_folder",
        frozenset(("single_label",)),
        "copied",
        "folder",
        defaults=PictureDefaults(resize=None, accepted=PICTURE_FORMATS),
        reads=True,
        holds=PROVENANCE | {"confidence"},
        stands_in=("",),  # any folder that nothing else is known of
    ),
    "webdataset": Format(
        "manifest_tools.formats.webdataset",
        frozenset(("single_label", "multi_label", "boxes")),
        "packed",
        "files",
        (".tar",),
        PictureDefaults(resize=None, accepted=("JPEG", "PNG")),
        reads=True,
        stands_in=(".tar",),
        holds=PROVENANCE | {"confidence", "image_size", "outline"},
        shards=True,
    ),
    "tfrecord": Format(
        "manifest_tools.formats.tfrecord",
        frozenset(("single_label", "multi_label", "boxes")),
        "packed",
        "files",
        (".tfrecord",),
        PictureDefaults(resize=None, accepted=("JPEG", "PNG")),
        extra="tfrecord",
        holds=PROVENANCE | {"confidence", "image_size", "outline"},
        shards=True,
    ),
    "parquet": Format(
        "manifest_tools.formats.parquet",
        frozenset(("single_label", "multi_label", "boxes")),
        "packed",
        "files",
        (".parquet",),
        PictureDefaults(resize=None, accepted=PICTURE_FORMATS),
        reads=True,
        stands_in=(".parquet",),
        extra="hf",
        holds=PROVENANCE | {"confidence", "image_size", "outline"},
        shards=True,
        beside=True,
    ),
    "csv": Format(
        "manifest_tools.formats.csv_table",
        frozenset(("single_label", "multi_label", "boxes")),
        "named",
        "files",
        (".csv", ".tsv", ".csv.gz", ".tsv.gz"),
        reads=True,
        stands_in=(".csv", ".tsv", ".csv.gz", ".tsv.gz"),
        holds=PROVENANCE | {"confidence", "image_size"},
    ),
    "npy": Format(
        "manifest_tools.formats.npy",
        frozenset(("single_label", "multi_label")),
        "packed",
        "files",
        (".images.npy", ".npy", ".npz"),
        PictureDefaults(resize=None, accepted=PICTURE_FORMATS),
        reads=True,
        stands_in=(".images.npy", ".npz"),
    ),
    "coco": Format(
        "manifest_tools.formats.coco",
        frozenset(("single_label", "multi_label", "boxes", "segmentation")),
        "named",
        "files",
        (".coco.json", ".json"),
        reads=True,
        stands_in=(".coco.json",),
        report=False,
        holds=PROVENANCE | {"confidence", "image_size", "outline"},
    ),
    "yolo": Format(
        "manifest_tools.formats.yolo",
        frozenset(("single_label", "boxes", "segmentation")),
        "copied",
        "folder",
        # Ultralytics passes over GIF.
        defaults=PictureDefaults(resize=None, accepted=("JPEG", "PNG", "BMP", "WEBP", "TIFF")),
        reads=True,
        stands_in=("data.yaml", "obj.data"),
        holds=frozenset(("image_size", "outline")),
    ),
    "voc": Format(
        "manifest_tools.formats.voc",
        frozenset(("boxes",)),
        "copied",
        "folder",
        defaults=PictureDefaults(resize=None, accepted=PICTURE_FORMATS),
        reads=True,
        stands_in=("Annotations",),
        holds=PROVENANCE | {"confidence", "image_size"},
        precision=0.5,
    ),
    "label-studio": Format(
        "manifest_tools.formats.label_studio",
        frozenset(("single_label", "multi_label", "boxes")),
        "named",
        "files",
        (".label-studio.json", ".json"),
        reads=True,
        stands_in=(".label-studio.json",),
        report=False,
        holds=PROVENANCE | {"confidence", "image_size", "outline"},
    ),
    "cvat": Format(
        "manifest_tools.formats.cvat",
        frozenset(("single_label", "multi_label", "boxes")),
        "named",
        "files",
        (".cvat.xml", ".xml"),
        reads=True,
        stands_in=(".cvat.xml",),
        report=False,
        holds=PROVENANCE | {"confidence", "image_size", "outline"},
    ),
    "fiftyone": Format(
        "manifest_tools.formats.fiftyone",
        frozenset(("single_label", "multi_label", "boxes")),
        "copied",
        "folder",
        # What a browser shows.
        defaults=PictureDefaults(resize=None, accepted=("JPEG", "PNG", "BMP", "GIF", "WEBP")),
        holds=PROVENANCE | {"confidence", "image_size"},
    ),
    "semantic-segmentation": Format(
        "manifest_tools.formats.semantic_segmentation",
        frozenset(("segmentation",)),
        "copied",
        "folder",
        # All that the channel of pictures takes; others become JPEG with `--resize 0`.
        defaults=PictureDefaults(resize=None, accepted=("JPEG",)),
    ),
    "rekognition": Format(
        "manifest_tools.formats.rekognition",
        frozenset(("single_label", "multi_label", "boxes")),
        "named",
        "files",
        (".manifest", ".jsonl"),
        writes=False,
        reads=True,
    ),
}

WRITTEN = tuple(name for name, row in FORMATS.items() if row.writes)
READ = tuple(name for name, row in FORMATS.items() if row.reads)

LABELS_OF: "dict[PictureLabelKind, str]" = {
    "single_label": "one class a picture",
    "multi_label": "several classes a picture",
    "boxes": "boxes",
    "segmentation": "masks",
}
"""What labels of each kind give a picture, for a message."""


class LabelsNotHeld(Refused):
    """A manifest whose labels a format cannot hold; ``labels`` says which labels of which manifest."""

    def __init__(self, labels: str, held: str) -> None:
        super().__init__(f"{labels}, but {held}")
        self.labels = labels


def format_row(option: str, name: str) -> Format:
    """Return the row of a format that can do what ``--to`` or ``--from`` asks for; raises Refused."""
    known = WRITTEN if option == "--to" else READ
    if name not in known:
        raise Refused(f"{option} {name}: expected {'one of ' if len(known) > 1 else ''}{', '.join(known)}")
    return FORMATS[name]


def module_of(row: Format) -> Any:
    """Return the module of a format."""
    return import_module(row.module)


def check_labels(manifest: str, attribute: str, kind: "PictureLabelKind", to: str) -> None:
    """Raise Refused where the format ``to`` cannot hold labels of a kind, naming those that can."""
    if kind in FORMATS[to].labels:
        return
    others = [name for name in WRITTEN if kind in FORMATS[name].labels]
    advice = f"type --to {either(others)}" if others else "no format here holds them yet"
    held = either(called for held, called in LABELS_OF.items() if held in FORMATS[to].labels)
    raise LabelsNotHeld(f"{manifest}: {attribute} has {LABELS_OF[kind]}", f"{to} takes {held}; {advice}")


def base_name(row: Format, output: str) -> tuple[str, str]:
    """Return an output without the ending of the format, and the ending that its main file is to have.

    >>> base_name(FORMATS["recordio"], "train.rec"), base_name(FORMATS["folder"], "out/")
    (('train', '.rec'), ('out', ''))
    """
    output = output.rstrip("/") or output
    ending = next((ending for ending in row.endings if output.endswith(ending)), "")
    usual = next(iter(row.endings), "") if row.output == "files" else ""
    return output.removesuffix(ending), ending or usual


_SHARD = re.compile(r"-\d{5,}(-of-\d{5})?\Z")
_SHARDS = re.compile(r"-(\*|\{\d+\.\.\d+\})(-of-(\d{5}|\*))?\Z")


def name_of_shards(base: str, one: bool = False) -> str:
    """Return the name of an output whose shards a pattern names; with ``one`` that of a single shard as well.

    >>> name_of_shards("ds/train-{000000..000009}"), name_of_shards("a-00001-of-00005", one=True)
    ('ds/train', 'a')
    >>> name_of_shards("a-00001-of-00005")
    'a-00001-of-00005'
    """
    whole = _SHARDS.sub("", base)
    return _SHARD.sub("", whole) if one else whole
