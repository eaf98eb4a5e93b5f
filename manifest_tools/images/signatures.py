"""Tells from the first bytes what a file is: a picture, or what is often found in its place."""

# How the pictures that the project reads begin, with the usual ending of their names; WebP apart.
_SIGNATURES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}

# The same formats by ending, as Pillow calls them.
_PICTURES = {".jpg": "JPEG", ".png": "PNG", ".gif": "GIF", ".bmp": "BMP", ".tif": "TIFF", ".webp": "WEBP"}

# Formats by the ending of a name.
_ENDINGS = {
    **_PICTURES,
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".tiff": "TIFF",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".avif": "AVIF",
}

# The brand that follows `ftyp` in files of the ISO base media format.
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")

_OTHERS = (
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"OggS", "an Ogg video or sound"),
    (b"\x1a\x45\xdf\xa3", "a WebM or Matroska video"),
    (b"\x0a\x23\xd7\xce", "a RecordIO file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: type `git lfs pull`"),
)
_TEXTS = (
    ("<!doctype html", "an HTML page"),
    ("<html", "an HTML page"),
    ("<svg", "an SVG drawing"),
    ("<error", "an error message of S3, as XML"),
    ("{", "JSON"),
    ("[", "JSON"),
)
_UNKNOWN = " bytes that begin with "
_VIDEOS = ("an MP4 video", "an AVI video", "an Ogg video or sound", "a WebM or Matroska video")


def picture_format(head: bytes) -> str:
    """Return Pillow's name of the format of a picture; empty for what is not a picture that mtool reads.

    >>> picture_format(b"\\x89PNG..."), picture_format(b"<html>")
    ('PNG', '')
    """
    return _PICTURES.get(suffix_of(head), "")


def named_format(ref: str) -> str:
    """Return the format that the ending of a name stands for; empty if it stands for none.

    >>> named_format("s3://b/a.b/IMG_1.JPG"), named_format("s3://b/a.jpg/IMG_1")
    ('JPEG', '')
    """
    name = ref.rpartition("/")[2]
    return _ENDINGS.get(name[name.rfind(".") :].lower(), "") if "." in name else ""


def is_no_video(head: bytes, size: int) -> bool:
    """Return whether a file is certainly not a video; many kinds of video are unknown here."""
    what = describe(head, size)
    return what not in _VIDEOS and _UNKNOWN not in what


def describe(head: bytes, size: int) -> str:
    """Return what a file of ``size`` bytes is that begins with ``head``, for a message.

    >>> describe(b"", 0), describe(b"<!DOCTYPE html><html>", 21), describe(b"\\0\\0\\0\\x18ftypheic", 99)
    ('an empty file', 'an HTML page', 'a HEIC picture')
    """
    if not size:
        return "an empty file"
    if found := picture_format(head):
        return f"a {found} picture"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[:4] == b"RIFF":
        return "an AVI video" if head[8:12] == b"AVI " else "a RIFF file"
    for start, what in _OTHERS:
        if head.startswith(start):
            return what
    if not head.strip(b"\0"):
        return f"{size:,} bytes that begin with zeros"
    return _text(head) or f"{size:,}{_UNKNOWN}{head[:12].decode(errors='backslashreplace')!r}"


def _by_brand(head: bytes) -> str:
    brands = (head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), 64), 4)))
    if brands[0] in _AVIF or (brands[0] == b"mif1" and any(brand in _AVIF for brand in brands)):
        return "an AVIF picture"
    return "a HEIC picture" if brands[0] in _HEIC else "an MP4 video"


def _text(head: bytes) -> str:
    """Return what a text is; empty if it is not UTF-8 or has control characters."""
    try:
        start = head[:512].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < min(len(head), 512) - 4:
            return ""
        start = head[: error.start].decode("utf-8-sig", "replace")
    lower = start.lstrip().lower()
    for begins, what in _TEXTS:
        if lower.startswith(begins):
            return what
    if lower.startswith("<?xml"):
        return "an error message of S3, as XML" if "<error>" in lower else "XML"
    shown = start.strip()
    return f"a text, {shown[:40]!r}" if shown and all(c.isprintable() or c.isspace() for c in shown) else ""


def suffix_of(data: bytes) -> str:
    """Return the usual ending of the name of a picture; empty for what is not a picture that mtool reads.

    >>> suffix_of(b"\\xff\\xd8\\xff\\xe0"), suffix_of(b"RIFF1234WEBP")
    ('.jpg', '.webp')
    """
    for start, suffix in _SIGNATURES.items():
        if data.startswith(start):
            return suffix
    return ".webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""
