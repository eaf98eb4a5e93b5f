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
    """What manifests are checked for, one of PURPOSES, with the hyperparameters and request of the job.

    ``request`` is that of CreateTrainingJob, CreateHyperParameterTuningJob or CreateTransformJob, where there
    is one; what is told in ``hyperparameters`` counts for more than what stands in it.
    """

    purpose: str
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PreflightInput:
    """What the rules of a job look at: what the files show, the one for training first, and the settings.

    ``channels`` is what an algorithm would be sent of each file as ``names``, the AttributeNames; these lack
    the label where it is not clear which one is meant. ``bad_lines`` counts those with an error, by file.
    """

    files: tuple[Facts, ...]
    preflight: Preflight
    label_attribute: str | None = None
    channels: tuple[Channel, ...] = ()
    names: tuple[str, ...] = ()
    bad_lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def attribute(self) -> str | None:
        """The label attribute that is trained from."""
        return self.names[1] if len(self.names) > 1 else None
