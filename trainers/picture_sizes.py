"""How large the pictures of a manifest are, from the headers of some of them."""

from collections.abc import Iterator
from itertools import islice

from manifest_tools.images.headers import read_header
from manifest_tools.images.partial_reads import open_file
from manifest_tools.images.paths import ImagePaths
from manifest_tools.images.unusable import Unusable
from manifest_tools.verbs.convert.plan import ConversionPlan

_LOOKED_AT = 64


def ordinary_size(plan: ConversionPlan) -> tuple[int, int] | None:
    """Return the width and height of the picture in the middle, by the shorter edge; None where none is here.

    Looks at some pictures from the whole of the manifest; what is in S3 is not fetched for it.
    """
    step = max(1, plan.count // _LOOKED_AT)
    refs = (picture.ref for picture in islice(plan.lines, 0, None, step))
    sizes = sorted(_sizes(plan.image_paths, islice(refs, _LOOKED_AT)), key=lambda size: (min(size), size))
    return sizes[len(sizes) // 2] if sizes else None


def _sizes(paths: ImagePaths, refs: Iterator[str]) -> Iterator[tuple[int, int]]:
    for ref in refs:
        try:
            with open_file(paths.find(ref)) as file:
                width, height = read_header(file).upright_size
        except Unusable:
            continue
        if width and height:
            yield width, height
