"""What a training job would be started with: manifests as channels, and what is set beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.rules.facts import Facts

# What `--for` takes.
PURPOSES = ("builtin", "semantic-segmentation", "object-detection", "rekognition")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What manifests are checked for, one of PURPOSES, with the hyperparameters and request of the job.

    ``request`` is that of CreateTrainingJob, where there is one.
    """

    purpose: str
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What the rules of a job look at: what the files show, the one for training first, and the settings."""

    files: tuple[Facts, ...]
    preflight: Preflight
    label_attribute: str | None = None
