"""What a line points to: ``source-ref`` with the URI of an object, or ``source`` with the data itself."""

from collections.abc import Iterator

from manifest_tools import s3uri
from manifest_tools.rules.found import Found, Line, shown


def has_a_source(line: Line) -> Iterator[Found]:
    """A line has a ``source-ref`` or a ``source``."""
    if line.value.get("source-ref") is None and line.value.get("source") is None:
        near = [key for key in line.value if key.lower().replace("_", "-") in ("source-ref", "source")]
        yield Found("$", "no source-ref and no source" + (f", but {shown(near[0])}" if near else ""))


def source_ref_is_an_s3_uri(line: Line) -> Iterator[Found]:
    """A ``source-ref`` is the URI of an object in S3."""
    ref = line.value.get("source-ref")
    if ref is None:
        return
    if not isinstance(ref, str):
        yield Found("$.source-ref", f"expected s3://bucket/key, found {shown(ref)}")
        return
    try:
        s3uri.parse(ref)
    except ValueError as error:
        yield Found("$.source-ref", str(error))


def source_is_text(line: Line) -> Iterator[Found]:
    """A ``source`` is text: the data itself."""
    source = line.value.get("source")
    if source is not None and not isinstance(source, str):
        yield Found("$.source", f"expected text, found {shown(source)}")
