"""What a writer is given in a test of its own, without a conversion around it."""

import pickle
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO, cast

from manifest_tools.base.parallel import Jobs
from manifest_tools.formats.protocol import NotPacked, Pack, Shard, WriteOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.images.shrink import Recipe
from manifest_tools.images.unusable import Unusable


def for_names_only(
    unusable: Callable[[str, int, Unusable], None] | None = None,
    placed: Callable[[str, int, str], None] | None = None,
    jobs: Jobs = 1,
) -> WriteOptions:
    """Return the options of a format that only names pictures; whatever would open one fails."""
    return WriteOptions(
        _opens, _opens, _opens, unusable or _unusable, placed or _placed, Recipe(pass_through=True), jobs
    )


def for_packing(
    data: DataSet,
    encoded: Callable[[Picture], bytes],
    *,
    shard: int | None = None,
    piece: int = 3,
    placed: Callable[[str, int, str], None] | None = None,
) -> WriteOptions:
    """Return the options of a format that packs pictures; ``encoded`` gives the bytes of each.

    The task is pickled, for it may run elsewhere; what the format cannot take is raised.
    """

    def packed(part: str, pack: Pack) -> Iterator[Shard]:
        pictures, task, number = iter(data.parts[part]), pickle.loads(pickle.dumps(pack)), 0
        while group := list(islice(pictures, shard or piece)):
            with tempfile.NamedTemporaryFile() as out:
                found = list(task(((one, encoded(one)) for one in group), cast(BinaryIO, out)))
                out.flush()
                for one in found:
                    if isinstance(one, NotPacked):
                        raise one.why
                    (placed or _placed)(part, one.number, one.key)
                yield Shard(number, found, out.name)
            number += 1

    return replace(for_names_only(placed=placed), packed=packed, shard=shard)


def _opens(part: str, task: Callable[..., object]) -> Iterator[Any]:
    raise AssertionError(f"part {part!r}: expected a writer that opens no picture")


def _unusable(part: str, number: int, why: Unusable) -> None:
    raise why


def _placed(part: str, number: int, key: str) -> None:
    """Take no notice."""
