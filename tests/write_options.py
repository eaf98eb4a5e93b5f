"""What a writer is given in a test of its own, without a conversion around it."""

from collections.abc import Callable, Iterator
from typing import Any

from manifest_tools.base.parallel import Jobs
from manifest_tools.formats.protocol import WriteOptions
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


def _opens(part: str, task: Callable[..., object]) -> Iterator[Any]:
    raise AssertionError(f"part {part!r}: expected a writer that opens no picture")


def _unusable(part: str, number: int, why: Unusable) -> None:
    raise why


def _placed(part: str, number: int, key: str) -> None:
    """Take no notice."""
