"""Where a format writes: files, a folder on this disk, or a prefix in S3."""

import contextlib
from collections.abc import Iterator

from manifest_tools.formats.protocol import Files
from manifest_tools.formats.table import Format
from manifest_tools.io.folder_sink import Folder, folder_sink
from manifest_tools.io.s3_folder import InThreads, in_threads, s3_folder
from manifest_tools.io.sinks import Publication
from manifest_tools.verbs.convert.plan import ConversionPlan
from manifest_tools.verbs.convert.report import was_made_as
from manifest_tools.verbs.convert.workspace import Workspace


@contextlib.contextmanager
def place_of_output(
    row: Format, plan: ConversionPlan, publication: Publication, space: Workspace | None
) -> Iterator[Files | Folder]:
    """Yield what a format writes into: it appears, or takes the place of what is there, when all is well."""
    if row.output == "files":
        yield Files(publication, plan.output, plan.ending)
        return
    made_by_us = was_made_as(plan.report, plan.to)
    if plan.output.startswith("s3://"):
        prefix = s3_folder(plan.output, publication, report=plan.report, is_ours=made_by_us)
        with prefix as folder, in_threads(folder) as sink:
            yield sink
        return
    new = space.new if space else None
    with folder_sink(plan.output, publication, report=plan.report, is_ours=made_by_us, new=new) as here:
        yield here


def folder_for_workers(sink: Files | Folder) -> Folder | None:
    """Return what workers write pictures into, who wait themselves where it is far."""
    if isinstance(sink, InThreads):
        return sink.folder
    return None if isinstance(sink, Files) else sink
