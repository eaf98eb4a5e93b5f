"""``--plot``: charts of a command as a page or as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli.shared.options import drawn_file

if TYPE_CHECKING:
    from manifest_tools.io.sinks import Published
    from manifest_tools.pages.charts import Section

Plot = Annotated[
    str | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw it too: a page (.html), or a picture (.png, extra plots)."
    ),
]


def plot_file(path: str | None, usual: str) -> str | None:
    """Return the file of a plot; raises, before the work begins, for one that could not be drawn at its end.

    In a folder that was typed with a / at its end it is called ``usual``.
    """
    if path is None:
        return None
    path = drawn_file(path, usual, "--plot")
    if path.lower().endswith(".png"):
        from manifest_tools.pages.plot import check_plot

        check_plot()
    return path


def write_plot(path: str, title: str, sections: "Sequence[Section]", *, force: bool) -> "Published":
    """Write charts; raises Refused, naming the option, where a file with other content exists."""
    from manifest_tools.cli.shared.pictures import write_picture
    from manifest_tools.pages.plot import plot
    from manifest_tools.pages.render import page

    if path.lower().endswith(".png"):
        content = plot([chart for section in sections for chart in section.bars])
    else:
        content = page(title, sections).encode()
    return write_picture("--plot", path, content, force=force)
