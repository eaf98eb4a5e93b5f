"""What is known of a built-in algorithm, as frozen values: its hyperparameters, inputs and metrics."""

from dataclasses import dataclass
from typing import Literal

ValueKind = Literal["int", "float", "choice", "text", "bool"]


@dataclass(frozen=True, slots=True)
class Only:
    """When a hyperparameter is used at all: with one of these values of another, or (none) with any."""

    name: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}={' or '.join(self.values)}" if self.values else self.name


@dataclass(frozen=True, slots=True)
class Tunable:
    """What a tuning job may vary, with the recommended range or choices of the algorithm's tuning page."""

    kind: Literal["continuous", "integer", "categorical"]
    low: str = ""
    high: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One hyperparameter; all values travel as strings.

    ``low`` and ``high`` are the limits, themselves allowed unless ``above_low`` or ``below_high``.
    ``choices`` are the values of a choice or a bool, ``pattern`` is what a text must match (all of it) and
    ``form`` says so in words. ``default`` is what the algorithm takes where none is given, None where
    there is none. ``reason`` says in a line what it is for.
    """

    name: str
    kind: ValueKind
    reason: str
    source: str
    default: str | None = None
    required: bool = False
    low: float | None = None
    high: float | None = None
    above_low: bool = False
    below_high: bool = False
    choices: tuple[str, ...] = ()
    pattern: str = ""
    form: str = ""
    only: Only | None = None
    tunable: Tunable | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One way in which an algorithm takes its data.

    ``channels`` must all be there, ``optional`` may. ``wrapper`` is the RecordWrapperType of every data
    channel. ``content_types`` has what is known to work, the best one first; ``multi_label`` what it is
    for Ground Truth's lists of classes.
    """

    name: Literal["augmented-manifest", "recordio", "image"]
    modes: tuple[str, ...]
    data_type: str
    channels: tuple[str, ...]
    content_types: tuple[str, ...]
    wrapper: str = "None"
    multi_label: str | None = None
    optional: tuple[str, ...] = ("model",)


@dataclass(frozen=True, slots=True)
class Metric:
    """What a tuning job can aim at."""

    name: str
    direction: Literal["Maximize", "Minimize"]
    reason: str


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A built-in algorithm; ``name`` is that of its image, ``label`` what its second attribute holds.

    ``same_as_model`` names the hyperparameters that an earlier model (channel ``model``) must have been
    trained with. ``unconfirmed`` says what no page of AWS settles.
    """

    name: str
    title: str
    label: str
    hyperparameters: tuple[Hyperparameter, ...]
    inputs: tuple[Input, ...]
    metrics: tuple[Metric, ...]
    families: tuple[str, ...]
    several_machines: bool
    same_as_model: tuple[str, ...]
    pretrained_ignored_with_model: bool
    sources: tuple[str, ...]
    unconfirmed: tuple[str, ...] = ()

    def find(self, name: str) -> Hyperparameter | None:
        """Return the hyperparameter of this name, or None."""
        return next((one for one in self.hyperparameters if one.name == name), None)
