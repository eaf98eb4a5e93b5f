"""Says what is in a manifest."""

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.parallel import Jobs
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.contents import Stats, contents_of
from manifest_tools.io.sources import decompressed


def stats(manifest: AnyPath, label_attribute: str | None = None, *, jobs: Jobs = None) -> Stats:
    """Return what is in a manifest, for all its label attributes or the one named.

    Raises InvalidLine at a line that cannot be read, Refused for an attribute that no line has.
    """
    return contents_of(decompressed(open_manifest(as_text(manifest))), label_attribute, jobs)
