"""How the pictures are learnt: what somebody chose, and the rest as it suits the pictures."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.base.errors import Refused
from trainers.choice import Facts, complete
from trainers.config import TrainConfig, check_config
from trainers.frameworks import load_trainer
from trainers.model_archive import is_model, read_model
from trainers.parameters import PARAMETER_TYPES, read_parameters
from trainers.picture_sizes import ordinary_size
from trainers.prepare import PlannedPair
from trainers.registry import DEFAULT, Trainer, trainer_named


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody chose."""

    trainer: str = DEFAULT
    params: str | None = None
    """A JSON file of parameters, such as tune's best.json."""

    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Fields of TrainConfig by name, which count for more than the file."""

    def values(self, varied: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the fields that were chosen; those that are ``varied`` count most.

        A model to start from brings its own network along. Raises Refused for one that does not exist.
        """
        found = read_parameters(self.params) if self.params else {}
        found |= {name: self.chosen[name] for name in PARAMETER_TYPES if name in self.chosen}
        found |= varied or {}
        if found.get("init_from"):
            found |= _of_model(trainer_named(self.trainer), found)
        return found

    def facts(self, pair: PlannedPair) -> Facts:
        """Return what decides how the pictures are learnt where nothing was chosen."""
        return Facts(pair.counts[0], ordinary_size(pair.train), load_trainer(self.trainer).device())

    def config(self, facts: Facts, varied: Mapping[str, Any] | None = None) -> TrainConfig:
        """Return the configuration of a run: what was chosen, and the rest as it suits the facts.

        Raises Refused for what the trainer does not have, and for initial weights that do not exist.
        """
        trainer = trainer_named(self.trainer)
        config = TrainConfig(**complete(self.values(varied), facts, trainer))
        check_config(config, trainer)
        return config


def _of_model(trainer: Trainer, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``init_from`` decides unless it was chosen: a model continues its own network."""
    path = values["init_from"]
    if not path.startswith("s3://") and not os.path.exists(path):
        raise Refused(f"--init-from {path}: no such file or folder; check the name")
    if not is_model(path) or {"network", "image_size"} <= values.keys():
        return {}
    model = read_model(path)
    known = [network.name for network in trainer.networks]
    # The built-in algorithm calls by their layers what others call version 2.
    own = [name for name in (model.network, f"{model.network}_v2") if name in known]
    found = {"image_size": model.image_size, **({"network": own[0]} if own else {})}
    return {name: value for name, value in found.items() if name not in values}


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not None, paths as texts.

    >>> given(epochs=3, network=None)
    {'epochs': 3}
    """
    texts = {name: os.fspath(one) if isinstance(one, os.PathLike) else one for name, one in values.items()}
    return {name: value for name, value in texts.items() if value is not None}
