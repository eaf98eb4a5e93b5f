"""How long a run will take, measured on its first pictures."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trainers.config import TrainConfig
from trainers.dataset import Dataset, batches
from trainers.events import Epoch, Estimate
from trainers.frameworks import Predict

_SECONDS = 2.0  # of learning, before there is an estimate; or an epoch


@dataclass(slots=True)
class Pace:
    """Gives one estimate: after some seconds of the first epoch, or after the whole of it."""

    train: Dataset
    validation: Dataset
    config: TrainConfig
    predict: Predict
    clock: Callable[[], float] = time.perf_counter
    _since: float | None = field(default=None, init=False)
    _pictures: int = field(default=0, init=False)
    _given: bool = field(default=False, init=False)

    def after_step(self, epoch: int, pictures: int) -> Estimate | None:
        """Return the estimate when it is time; the first step, which prepares much, is not counted."""
        if self._given:
            return None
        if self._since is None:
            self._since = self.clock()
            return None
        self._pictures += pictures
        if (seconds := self.clock() - self._since) < _SECONDS:
            return None
        self._given = True
        learning = seconds / self._pictures * len(self.train)
        validating = self._validating() * len(self.validation)
        return Estimate(learning + validating, self.config.epochs - epoch + 1)

    def after_epoch(self, epoch: Epoch) -> Estimate | None:
        """Return the estimate where there was none, and there are more epochs."""
        left = 0 if self._given else epoch.epochs - epoch.epoch
        self._given = True
        return Estimate(epoch.seconds, left) if left else None

    def _validating(self) -> float:
        """Return the seconds that a validation picture takes; the first pictures are not counted."""
        rows = next(iter(batches(len(self.validation), self.config.batch_size)))
        self.predict(self.validation.read(rows))
        started = self.clock()
        self.predict(self.validation.read(rows))
        return (self.clock() - started) / len(rows)
