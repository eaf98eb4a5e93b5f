"""Lines of a manifest as they are written: by workers, where no file must be opened or made for a picture."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from manifest_tools.formats.open_manifest import names_path
from manifest_tools.groundtruth.annotations import Batch, DataSet, Picture, Pictures
from manifest_tools.groundtruth.write_line import manifest_lines

_IN_S3 = b'{"source-ref":"s3://'  # how lines of ours begin that name an object; others are parsed


@dataclass(frozen=True, slots=True)
class Written:
    """Lines that follow one another."""

    text: bytes
    lines: int
    on_this_disk: int
    """Those that name a picture by a path and not by a URI in S3."""


def written(lines: Iterable[bytes]) -> Iterator[Written]:
    """Yield lines with what is counted of them."""
    for line in lines:
        local = not line.startswith(_IN_S3) and names_path(line)
        yield Written(line, not line.isspace(), local)


def written_pictures(
    data: DataSet, pictures: Pictures, extract: Callable[[Picture], Picture]
) -> Iterator[Written]:
    """Yield the lines of pictures; ``extract`` is called here for those that are not ready."""
    head = DataSet(data.table, data.label_kind, {}, data.attribute)
    for found in pictures.map(partial(_of_batch, head)):
        if isinstance(found, Written):
            yield found
        else:
            yield from written(manifest_lines(head, map(extract, found)))


def _of_batch(data: DataSet, batch: Batch) -> Written | Sequence[Picture]:
    """Return the lines of a batch, or its pictures where one of them is not ready."""
    if not all(_is_ready(picture, data.label_kind == "boxes") for picture in batch.pictures):
        return batch.pictures
    lines = list(manifest_lines(data, batch.pictures))
    local = sum(not line.startswith(_IN_S3) and names_path(line) for line in lines)
    return Written(b"".join(lines), len(lines), local)


def _is_ready(picture: Picture, with_size: bool) -> bool:
    """Say whether a picture, and its mask, stands in a file, and its size is known where that is wanted."""
    return (
        picture.content is None
        and (picture.mask is None or picture.mask.content is None)
        and (picture.size is not None or not with_size or not picture.labelled)
    )
