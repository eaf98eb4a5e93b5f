"""The values that describe a built-in algorithm: its hyperparameters, inputs and metrics."""

from dataclasses import dataclass
from typing import Literal

ValueKind = Literal["int", "float", "choice", "text", "bool"]


@dataclass(frozen=True, slots=True)
class Only:
    """The condition for a hyperparameter to have an effect: the value of another one."""

    name: str
    """The other hyperparameter."""
    values: tuple[str, ...] = ()
    """The values that it must have one of; empty for any value."""

    def __str__(self) -> str:
        return f"{self.name}={' or '.join(self.values)}" if self.values else self.name


@dataclass(frozen=True, slots=True)
class Tunable:
    """The range or the choices that the tuning page of the algorithm recommends."""

    kind: Literal["continuous", "integer", "categorical"]
    low: str = ""
    high: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One hyperparameter; a request has all values as strings."""

    name: str
    kind: ValueKind
    reason: str
    """What it is for, in a line."""
    source: str
    """The page that describes it."""
    default: str | None = None
    """The value that the algorithm uses if none is set; None if there is no such value."""
    required: bool = False
    low: float | None = None
    """The lowest number that is accepted, or with ``above_low`` the limit that it must be above."""
    high: float | None = None
    """The highest number that is accepted, or with ``below_high`` the limit that it must be below."""
    above_low: bool = False
    below_high: bool = False
    choices: tuple[str, ...] = ()
    """The values of a choice or a bool."""
    pattern: str = ""
    """The regular expression that a whole text must match."""
    form: str = ""
    """The pattern in words."""
    only: Only | None = None
    """The condition for it to have an effect; None if it always has."""
    tunable: Tunable | None = None
    """What a tuning job may vary; None if it cannot be tuned."""


@dataclass(frozen=True, slots=True)
class Input:
    """One way in which an algorithm reads its data."""

    name: Literal["augmented-manifest", "recordio", "image"]
    modes: tuple[str, ...]
    """The input modes that work, the best one first."""
    data_type: str
    """The S3DataType of the channels."""
    channels: tuple[str, ...]
    """The channels that must be there."""
    content_types: tuple[str, ...]
    """The ContentTypes that are known to work, the best one first."""
    wrapper: str = "None"
    """The RecordWrapperType of the channels with data."""
    multi_label: str | None = None
    """The ContentType for Ground Truth's lists of classes."""
    optional: tuple[str, ...] = ("model",)
    """The channels that may be there."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that a tuning job can optimize."""

    name: str
    direction: Literal["Maximize", "Minimize"]
    reason: str
    """What it measures, in a line."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A built-in algorithm."""

    name: str
    """The name of its image."""
    title: str
    """Its name in the documentation."""
    label: str
    """What its second attribute holds, in words."""
    hyperparameters: tuple[Hyperparameter, ...]
    inputs: tuple[Input, ...]
    metrics: tuple[Metric, ...]
    families: tuple[str, ...]
    """The families of instance types that its page lists, such as ``p3``."""
    several_machines: bool
    """Whether it can train on more than one machine."""
    same_as_model: tuple[str, ...]
    """The hyperparameters that an earlier model, in the channel ``model``, must have been trained with."""
    pretrained_ignored_with_model: bool
    """Whether use_pretrained_model has no effect with the channel ``model``."""
    sources: tuple[str, ...]
    unconfirmed: tuple[str, ...] = ()
    """What no page of AWS answers."""

    def find(self, name: str) -> Hyperparameter | None:
        """Return the hyperparameter of this name, or None."""
        return next((one for one in self.hyperparameters if one.name == name), None)
