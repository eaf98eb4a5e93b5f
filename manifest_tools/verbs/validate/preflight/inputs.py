"""What a training job would be started with: manifests as channels, and what is set beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from manifest_tools.verbs.validate.choices import Purpose
from manifest_tools.verbs.validate.engine.file_facts import Facts
from manifest_tools.verbs.validate.preflight.channel import Channel

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

# The built-in algorithm of a purpose, by the name of its image.
ALGORITHM_OF = {
    "builtin": "image-classification",
    "semantic-segmentation": "semantic-segmentation",
    "object-detection": "object-detection",
}
TRAINING = tuple(ALGORITHM_OF)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What manifests are checked for."""

    purpose: str
    """One of PURPOSES."""

    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """Hyperparameters of the job; they count for more than those in the request."""

    request: Mapping[str, Any] | None = None
    """A request of CreateTrainingJob, CreateHyperParameterTuningJob or CreateTransformJob."""


@dataclass(frozen=True, slots=True)
class PreflightInput:
    """What the rules of a job look at."""

    files: tuple[Facts, ...]
    """What the lines of each manifest show, the one for training first."""

    preflight: Preflight
    label_attribute: str | None = None
    """The label attribute that was requested, None where none was."""

    channels: tuple[Channel, ...] = ()
    """What an algorithm would be sent of each file, the one for training first."""

    names: tuple[str, ...] = ()
    """The AttributeNames: picture and label; the picture alone where the label is not clear."""

    bad_lines: Mapping[str, int] = field(default_factory=dict)
    """How many lines with an error each file has."""

    @property
    def attribute(self) -> str | None:
        """The label attribute that the job learns; None where it is not clear which one is meant."""
        return self.names[1] if len(self.names) > 1 else None
