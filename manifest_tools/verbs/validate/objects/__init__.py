"""Checks the objects that a manifest names, on this disk or in S3, by their first and last bytes.

Each finding is a Problem with a code of ``codes.CODES``, or of ``unusable.CODES`` where convert and train
find the same. A picture that several lines name is read once where these are near each other.
"""

from typing import TYPE_CHECKING

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.verbs.validate.objects.codes import CODES

if TYPE_CHECKING:
    from manifest_tools.base.parallel import Jobs, Progress
    from manifest_tools.io.sources import Source
    from manifest_tools.verbs.validate.objects.findings import Size
    from manifest_tools.verbs.validate.objects.report import ObjectReport

__all__ = ["CODES", "check_objects"]


def check_objects(
    *manifests: "AnyPath | Source",
    images: AnyPaths = (),
    label_attribute: str | None = None,
    smallest: "Size | None" = None,
    decode: bool = False,
    jobs: "Jobs" = None,
    progress: "Progress | None" = None,
) -> "ObjectReport":
    """Return a report that finds, as one iterates, what is wrong with the objects that manifests name.

    ``images`` says where they lie on this disk (see ``image_paths``); others are asked of S3, by a ranged GET
    of the first 64 kB each. ``label_attribute`` leaves out all labels but one. ``smallest`` is the width
    and height that a training job's image_shape asks for. ``decode`` reads every picture whole and decodes
    it, which finds damage in its middle. ``jobs`` are processes, threads where S3 is asked.
    What is no manifest, or no line of one, is left out: ``validate`` reports it.

    ``progress`` is given the batches of lines as they are done, and their number.

    Raises Refused where not one object is on this disk and there are no credentials, MtoolError where S3
    cannot be asked.

    >>> report = check_objects()
    >>> list(report), report.lines, report.objects
    ([], 0, 0)
    """
    from manifest_tools.base.parallel import no_progress
    from manifest_tools.io.sources import Source
    from manifest_tools.verbs.validate.objects.report import ObjectReport

    sources = tuple(one if isinstance(one, Source) else as_text(one) for one in manifests)
    return ObjectReport(
        sources, as_texts(images), label_attribute, smallest, decode, jobs, progress or no_progress
    )
