"""Charts as one picture in a file, with matplotlib (extra ``plots``)."""

import importlib.util
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from manifest_tools.base.errors import NotInstalled
from manifest_tools.pages.charts import Bars
from manifest_tools.pages.words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#3b76d8", "#d9822b", "#2a9465", "#8659c9")
_ROW, _FRAME = 0.24, 0.9  # inches: a bar, and what is around the bars of a chart
_WIDTH = 8.0
_NAME = 32  # characters beside an axis


def check_plot() -> None:
    """Raise NotInstalled where no plot could be drawn."""
    if importlib.util.find_spec("matplotlib") is None:
        raise NotInstalled("matplotlib", "plots", "a plot as PNG")


def plot(charts: Sequence[Bars]) -> bytes:
    """Return a PNG with the charts below one another; the same charts give the same bytes."""
    check_plot()
    from matplotlib.figure import Figure

    heights = [_height(chart) for chart in charts]
    figure = Figure(figsize=(_WIDTH, sum(heights, start=0.1)), layout="constrained")
    grid = figure.add_gridspec(max(len(charts), 1), height_ratios=heights or None)
    for at, chart in enumerate(charts):
        _draw(figure.add_subplot(grid[at]), chart)
    out = io.BytesIO()
    with warnings.catch_warnings():
        # matplotlib warns of a letter that the font lacks, and draws a box.
        warnings.simplefilter("ignore")
        figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return out.getvalue()


def _height(chart: Bars) -> float:
    rows = 8 if chart.upright else len(chart.shown) * len(chart.series)
    return _FRAME + _ROW * rows


def _draw(axes: "Axes", chart: Bars) -> None:
    names = [plain(bar.label, _NAME) for bar in chart.shown]
    width = 0.8 / len(chart.series)
    for at, series in enumerate(chart.series):
        places = [number + (at - (len(chart.series) - 1) / 2) * width for number in range(len(names))]
        counts = [bar.counts[at] for bar in chart.shown]
        draw = axes.bar if chart.upright else axes.barh
        bars = draw(places, counts, width, color=_COLOURS[at % len(_COLOURS)], label=plain(series, _NAME))
        if not chart.upright:
            axes.bar_label(
                bars, [_told(chart, number, at) for number in range(len(names))], padding=3, fontsize=8
            )
    _name(axes, names, chart.upright)
    axes.set_title(plain(chart.title), loc="left", fontsize=11, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    if len(chart.series) > 1:
        columns = len(chart.series)
        legend = axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=columns, fontsize=8, frameon=False
        )
        for text in legend.get_texts():
            text.set_parse_math(False)


def _told(chart: Bars, number: int, at: int) -> str:
    bar = chart.shown[number]
    return f"{bar.counts[at]:,}  {chart.share(bar, at)}".rstrip()


def _name(axes: "Axes", names: Sequence[str], upright: bool) -> None:
    """Write the names beside the bars; the first bar of those that lie stands at the top."""
    if upright:
        few = {0, len(names) - 1} if len(names) > 12 else range(len(names))
        axes.set_xticks(list(few), [names[at] for at in few], fontsize=8, parse_math=False)
        return
    axes.set_yticks(range(len(names)), names, fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.18)
