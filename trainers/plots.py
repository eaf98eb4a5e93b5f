"""Plots of a training run, an evaluation and a study, with matplotlib (extra ``plots``)."""

import importlib.util
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from manifest_tools.base.errors import NotInstalled
from manifest_tools.groundtruth.classes import ClassTable
from trainers.events import Epoch
from trainers.metrics import Metrics
from trainers.trial import Trial

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# Up to this many classes names and numbers are legible, and so many that a zero in each other cell is too.
_MOST_NAMES, _MOST_ZEROS = 60, 25
_IN_TITLE = 5  # pairs of classes that are confused most

_BINARY = ("true negatives", "false positives", "false negatives", "true positives")


def available() -> bool:
    """Say whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def history(epochs: Sequence[Epoch]) -> bytes:
    """Return a PNG with loss and accuracy over the epochs."""
    figure = _figure(8, 3.5)
    from matplotlib.ticker import MaxNLocator

    numbers = [epoch.epoch for epoch in epochs]
    for place, what in enumerate(("loss", "accuracy"), 1):
        axes = figure.add_subplot(1, 2, place)
        for part, style in (("train", "--"), ("validation", "-")):
            values = [getattr(epoch, f"{part}_{what}") for epoch in epochs]
            axes.plot(numbers, values, style, marker=".", label=part)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if what == "accuracy":
            axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("epoch")
        axes.set_title(what)
        axes.legend(loc="upper right" if what == "loss" else "lower right")
        axes.grid(alpha=0.3)
    return _png(figure)


def confusion(metrics: Metrics, table: ClassTable) -> bytes:
    """Return a PNG of the confusion matrix, labels against predictions: right is blue, wrong is red."""
    import numpy as np

    names = class_names(table)
    columns = list(_BINARY) if metrics.multi_label else names
    counts = np.array(metrics.confusion)
    side = min(4 + 0.35 * len(names), 16)
    figure = _figure(side + 1, side)
    axes = figure.add_subplot()
    # Fractions of a row, so that a rare class shows as well as a common one.
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(_colours(fractions, metrics.multi_label), aspect="auto", interpolation="nearest")
    if len(names) <= _MOST_NAMES:
        axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", parse_math=False)
        axes.set_yticks(range(len(names)), names, parse_math=False)
        few = len(names) <= _MOST_ZEROS
        for (row, column), count in np.ndenumerate(counts):
            if count or few:
                colour = "white" if fractions[row, column] > 0.5 else "black"
                size = 10 if few else 7
                axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, size=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    axes.set_title(_title(metrics, table), parse_math=False)
    return _png(figure)


def _colours(fractions: "NDArray[np.float64]", multi_label: bool) -> "NDArray[np.float64]":
    """Return a colour for each cell; small fractions of mistakes are to be seen too."""
    import numpy as np
    from matplotlib import colormaps

    rows, columns = np.indices(fractions.shape)
    is_right = np.isin(columns, (0, 3)) if multi_label else rows == columns
    colours = np.where(
        is_right[..., None], colormaps["Blues"](fractions), colormaps["Reds"](0.2 + 0.8 * fractions**0.5)
    )
    return np.where(fractions[..., None] > 0, colours, 1.0)


def _title(metrics: Metrics, table: ClassTable) -> str:
    """Return the accuracy; where no names are beside the cells, also what is confused most."""
    lines, names = [f"accuracy {metrics.accuracy:.3f} of {metrics.examples:,} pictures"], class_names(table)
    if len(names) > _MOST_NAMES:
        worst = metrics.worst_pairs()[:_IN_TITLE]
        lines += [f"{names[label]} taken for {names[found]}: {count:,}" for count, label, found in worst]
    return "\n".join(lines)


def class_names(table: ClassTable) -> list[str]:
    """Return what stands beside the cells: index and name, or one of them where they are the same."""
    return [
        _plain(name if name == str(index) else f"{index} {name}") for index, name in enumerate(table.labels)
    ]


def trials(tried: Sequence[Trial]) -> bytes:
    """Return a PNG with the accuracy of every trial, and the best so far."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(8, 3.5)
    axes = figure.add_subplot()
    numbers = [at for at, one in enumerate(tried, 1) if one.value is not None]
    values = [one.value for one in tried if one.value is not None]
    axes.plot(numbers, values, "o", label="trial")
    axes.step(
        numbers, [max(values[: at + 1]) for at in range(len(values))], where="post", label="best so far"
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("trial")
    axes.set_title("validation accuracy")
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    return _png(figure)


def _plain(name: str) -> str:
    """Return a class name that fits beside an axis."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return shown if len(shown) <= 24 else f"{shown[:13]}…{shown[-10:]}"


def _figure(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches, which belongs to no window and no global state.

    Raises NotInstalled without matplotlib.
    """
    if not available():
        raise NotInstalled("matplotlib", "plots", "a plot of the figures")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: "Figure") -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        # matplotlib warns of a letter that the font lacks, and draws a box; the tables show the letter.
        warnings.simplefilter("ignore")
        # Without the version of matplotlib in it, equal figures give equal bytes.
        figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return out.getvalue()
