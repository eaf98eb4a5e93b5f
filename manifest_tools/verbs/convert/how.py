"""What is done with the pictures of a conversion, as the options say it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import either
from manifest_tools.formats.table import FORMATS, WRITTEN, PictureDefaults, format_row
from manifest_tools.images.shrink import MAX_SIDE, Recipe
from manifest_tools.verbs.convert.retry import Retry, read_retry

USUAL_QUALITY = 95
"""Of a JPEG that is encoded anew."""


@dataclass(frozen=True, slots=True)
class How:
    """What is done with the pictures of every part."""

    to: str
    recipe: Recipe
    images: tuple[str, ...] = ()
    link: bool = False
    clip: bool = False
    shard: int | None = None
    beside: bool = False
    retry: Retry | None = None
    """The lines that are converted; None for all."""


def how_to(
    to: str,
    *,
    images: Sequence[str] = (),
    resize: int | None = None,
    quality: int = USUAL_QUALITY,
    pass_through: bool = False,
    square: bool = False,
    link: bool = False,
    upright: bool = False,
    unchecked: bool = False,
    clip: bool = False,
    shard: int | None = None,
    beside: bool = False,
    retry: str | None = None,
) -> How:
    """Return what is done with pictures; raises Refused for options that the format has no use for."""
    row = format_row("--to", to)
    if beside and not row.beside:
        with_pictures = either(name for name in WRITTEN if FORMATS[name].beside)
        raise Refused(f"--beside: goes with --to {with_pictures}; leave it out")
    defaults, called = (None, f"{to} --beside") if beside else (row.defaults, to)
    recipe = _recipe(defaults, called, resize, quality, pass_through, square, link, upright)
    if unchecked:
        recipe = _unchecked(recipe, defaults, called)
    if clip and "boxes" not in row.labels:
        raise Refused(f"--clip: {to} holds no boxes; leave it out")
    if shard is not None and not row.shards:
        sharded = either(name for name in WRITTEN if FORMATS[name].shards)
        raise Refused(f"--shard: {to} is not cut into files; leave it out, or type --to {sharded}")
    if shard is not None and shard < 1:
        raise Refused(f"--shard {shard}: expected how many pictures a file has, 1 or more")
    return How(
        to, recipe, tuple(images), link, clip, shard, beside, None if retry is None else read_retry(retry)
    )


def _recipe(
    defaults: PictureDefaults | None,
    to: str,
    resize: int | None,
    quality: int,
    pass_through: bool,
    square: bool,
    link: bool,
    upright: bool,
) -> Recipe:
    if link and upright:
        raise Refused("--link and --upright: the one leaves pictures as they are, the other turns them")
    if defaults is None:
        options = {
            "--quality": quality != USUAL_QUALITY,
            "--resize": resize is not None,
            "--square": square,
            "--link": link,
            "--upright": upright,
        }
        for option, typed in options.items():
            if typed:
                raise Refused(f"{option}: {to} names pictures and does not open them; leave it out")
        return Recipe(pass_through=True)
    for option, typed in (("--resize", resize is not None), ("--square", square)):
        for other, as_it_is in (("--pass-through", pass_through), ("--link", link)):
            if typed and as_it_is:
                raise Refused(f"{option} changes pictures, {other} does not; type one of them")
    if resize is not None and not 0 <= resize <= MAX_SIDE:
        raise Refused(f"--resize {resize}: expected 0 to {MAX_SIDE:,} pixels")
    if not 1 <= quality <= 100:
        raise Refused(f"--quality {quality}: expected 1 to 100")
    shorter = defaults.resize if resize is None else resize
    if pass_through or shorter is None:
        for option, typed in (("--square", square), ("--quality", quality != USUAL_QUALITY)):
            if typed:
                raise Refused(f"{option}: pictures are copied as they are; type --resize N as well")
        return Recipe(pass_through=True, accepted=defaults.accepted, upright=upright)
    return Recipe(shorter, quality, square)


def _unchecked(recipe: Recipe, defaults: PictureDefaults | None, to: str) -> Recipe:
    if defaults is None:
        raise Refused(f"--unchecked: {to} names pictures and does not open them; leave it out")
    if not recipe.pass_through:
        raise Refused("--unchecked goes with pictures that stay as they are; type --pass-through as well")
    return replace(recipe, unchecked=True)
