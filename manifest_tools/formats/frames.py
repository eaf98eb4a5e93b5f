"""The frame that boxes are in: the size that was labelled, against that of the picture as it was copied."""

from manifest_tools.base.text import counted

Size = tuple[float, float]
"""Width and height in pixels."""


def same_shape(one: Size, other: Size) -> bool:
    """Say whether two sizes are of one picture, shrunk perhaps, which may cost a pixel.

    >>> same_shape((640, 480), (341, 256)), same_shape((640, 480), (480, 640))
    (True, False)
    """
    (wide, high), (width, height) = one, other
    return abs(width * high / wide - height) <= 1 or abs(height * wide / high - width) <= 1


def other_shape_remark(count: int) -> str:
    """Return what is said of pictures that are not of the shape that their lines say."""
    return (
        f"{counted(count, 'picture')} of another shape than image_size says, so their boxes may be off: they"
        " may have been turned by EXIF after they were labelled"
    )
