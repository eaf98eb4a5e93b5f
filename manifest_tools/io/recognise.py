"""Tells by its first bytes what a file is that was named as a manifest, and what to type in its place."""

import re
import shlex

from manifest_tools.base.errors import NotAManifest

STDIN = "-"

HEAD = 1 << 16
"""Bytes that are looked at to tell a manifest from another file."""


def check_head(name: str, head: bytes) -> None:
    """Raise NotAManifest when the first bytes of ``name`` show something other than JSON Lines."""
    for what, hint, matches in _NOT_MANIFESTS:
        if matches(head):
            raise NotAManifest(
                name, what, hint.format(name=STDIN if name == "standard input" else shlex.quote(name))
            )


def _is_picture(head: bytes) -> bool:
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")) or (
        head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    )


def _is_s3prefix(head: bytes) -> bool:
    return head.lstrip()[:1] == b"[" and b'"prefix"' in head


# A COCO file begins with one of its arrays, or has one after what it says of itself.
_COCO = re.compile(
    rb'\s*\{\s*(?:"(?:images|categories)"\s*:\s*\[\s*[{\]]'
    rb'|"annotations"\s*:\s*\[(?=.*?"image_id"\s*:)'
    rb'|"(?:info|licenses)"\s*:(?=.*?"(?:images|categories)"\s*:\s*\[\s*[{\]]))',
    re.DOTALL,
)


def _is_coco(head: bytes) -> bool:
    return _COCO.match(head) is not None


# A number, labels and a path, as im2rec writes them.
_LIST_ROW = re.compile(rb"\d+(\t[-+.\deE]+)+\t[^\t]+")


def _is_list(head: bytes) -> bool:
    return all(_LIST_ROW.fullmatch(row) for row in _first_rows(head)) and bool(_first_rows(head))


def _first_rows(head: bytes) -> list[bytes]:
    """Return the first few lines that are whole and not blank."""
    whole = head if len(head) < HEAD else head[: head.rfind(b"\n") + 1]
    return [row.strip(b"\r ") for row in whole.splitlines() if row.strip()][:5]


def _is_names(head: bytes) -> bool:
    """Say whether each of the first lines is a name of a picture and nothing else."""
    rows = _first_rows(head)
    return bool(rows) and all(_PICTURE_NAME.fullmatch(row) for row in rows)


_PICTURE_NAME = re.compile(rb"[^{}\[\]\"\t,;]+\.(jpe?g|png|gif|bmp|tiff?|webp)", re.IGNORECASE)


def _is_csv(head: bytes) -> bool:
    """Say whether the first lines have the same number of commas (semicolons, tabs), and are no JSON."""
    rows = _first_rows(head)
    if len(rows) < 2 or any(mark in row for row in rows for mark in (b"{", b"[", b"\0")):
        return False
    counts = [{row.count(comma) for row in rows} for comma in _COMMAS]
    return any(len(count) == 1 and 0 not in count for count in counts)


_COMMAS = (b",", b";", b"\t")


def _is_pretty_printed(head: bytes) -> bool:
    first, newline, _ = head.lstrip().partition(b"\n")
    return bool(newline) and first.strip() in (b"{", b"[", b"[{")


# What people type by mistake: what it is, what to do instead, and how it begins. The first match counts.
_NOT_MANIFESTS = (
    (
        "an empty file",
        "the labeling job may still be running, or the download was cut off",
        lambda head: len(head) < HEAD and not head.strip(),
    ),
    ("a picture", "type the name of the manifest that lists it", _is_picture),
    (
        "a gzip file",
        "rename it so that its name ends in .gz",
        lambda head: head.startswith(b"\x1f\x8b"),
    ),
    (
        "a RecordIO file",
        "type the name of the manifest that it was made from",
        lambda head: head.startswith(b"\x0a\x23\xd7\xce"),
    ),
    (
        "a NumPy array",
        "if it has pictures, type: mtool convert --from npy {name} -o NAME.manifest",
        lambda head: head.startswith(b"\x93NUMPY"),
    ),
    (
        "a zip archive",
        "unpack it, and type the name of what is in it",
        lambda head: head.startswith(b"PK\x03\x04"),
    ),
    (
        "XML",
        "if it is of CVAT, type: mtool convert --from cvat {name} -o NAME.manifest",
        lambda head: head.lstrip().startswith((b"<?xml", b"<annotation")),
    ),
    (
        "an S3Prefix manifest (one JSON array of keys, no labels)",
        "type the name of the augmented manifest, such as output.manifest",
        _is_s3prefix,
    ),
    (
        "a COCO file",
        "type: mtool convert --from coco {name} -o NAME.manifest",
        _is_coco,
    ),
    (
        "a list as im2rec writes it",
        "`mtool validate` checks it if its name ends in .lst; other commands take the manifest that it was"
        " made from",
        _is_list,
    ),
    (
        "a list of pictures",
        "no command takes it; write one JSON object a line",
        _is_names,
    ),
    (
        "a CSV table",
        "give it a name that ends in .csv, and a header with the columns image and label",
        _is_csv,
    ),
    (
        "pretty-printed JSON over several lines",
        "write one object a line, for example with `jq -c`",
        _is_pretty_printed,
    ),
    (
        "a JSON array",
        "write one object a line, for example with `jq -c '.[]'`",
        lambda head: head.lstrip()[:1] == b"[",
    ),
)
