"""Hyperparameters that contradict one another; a rule is a small function of all values."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from manifest_tools.algorithms.schema import Algorithm
from manifest_tools.algorithms.values import number_of

Contradiction = tuple[str, Literal["error", "warning"], str]
"""The hyperparameter to change, the severity, and the message."""

_FEW_LAYERS = ("20", "32", "44", "56", "110")
_SMALL = 32  # pixels; the guide's example of small pictures has 28


class Values:
    """The values of a job, and the algorithm's defaults for those that are not set.

    A value in another form than its hyperparameter's counts as absent.
    """

    def __init__(self, given: Mapping[str, str], algorithm: Algorithm, mode: str | None) -> None:
        self.given = given
        self.algorithm = algorithm
        self.mode = mode

    def written(self, name: str) -> str:
        """Return ``name=value`` for a message."""
        return f"{name}={self.text(name)}" + ("" if name in self.given else " (the default)")

    def text(self, name: str) -> str | None:
        """Return the value, or the default, or None where there is no such hyperparameter."""
        one = self.algorithm.find(name)
        return None if one is None else self.given.get(name, one.default)

    def number(self, name: str) -> int | None:
        """Return the value as a whole number, or None where it is none."""
        one, text = self.algorithm.find(name), self.text(name)
        number = None if one is None or text is None else number_of(one, text)
        return None if number is None else int(number)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return the numbers of a list such as ``3,224,224``; nothing where it is no list of numbers."""
        text = self.text(name) or ""
        if not re.fullmatch(r"\d{1,9}( ?, ?\d{1,9})*", text, re.ASCII):
            return ()
        return tuple(map(int, text.split(",")))


def contradictions(
    given: Mapping[str, str], algorithm: Algorithm, mode: str | None = None
) -> Iterator[Contradiction]:
    """Yield the contradictions between ``given``, the defaults of the others, and the input mode."""
    values = Values(given, algorithm, mode)
    for rule in RULES:
        yield from rule(values)


def _checkpoints_within_epochs(values: Values) -> Iterator[Contradiction]:
    frequency, epochs = values.number("checkpoint_frequency"), values.number("epochs")
    if frequency and epochs and frequency > epochs:
        message = (
            f"checkpoint_frequency={frequency} is above {values.written('epochs')}: no model would be saved"
        )
        yield "checkpoint_frequency", "error", message


def _batch_within_samples(values: Values) -> Iterator[Contradiction]:
    """Image classification stops with an error; it is not known what the other two algorithms do."""
    batch, samples = values.number("mini_batch_size"), values.number("num_training_samples")
    if batch and samples and batch > samples:
        message = f"{values.written('mini_batch_size')}: expected at most num_training_samples={samples}"
        sure = values.algorithm.name == "image-classification"
        yield "mini_batch_size", "error" if sure else "warning", f"{message}; type a smaller mini_batch_size"


def _resize_covers_the_crop(values: Values) -> Iterator[Contradiction]:
    resize, shape = values.number("resize"), values.numbers("image_shape")
    if resize and len(shape) == 3 and resize < max(shape[1:]):
        message = f"resize={resize}: expected at least {max(shape[1:])}, the longer side of image_shape"
        yield "resize", "error", message


def _steps_within_epochs(values: Values) -> Iterator[Contradiction]:
    steps, epochs = values.numbers("lr_scheduler_step"), values.number("epochs")
    if steps and epochs and max(steps) >= epochs:
        message = (
            f"lr_scheduler_step has epoch {max(steps)}, and no epoch follows it: {values.written('epochs')}"
        )
        yield "lr_scheduler_step", "warning", message
    if list(steps) != sorted(set(steps)):
        yield "lr_scheduler_step", "error", "lr_scheduler_step: expected rising numbers, such as 10,20"


def _step_schedule_has_steps(values: Values) -> Iterator[Contradiction]:
    if values.text("lr_scheduler") == "step" and values.text("lr_scheduler_step") is None:
        yield "lr_scheduler_step", "error", "lr_scheduler=step needs lr_scheduler_step, such as 10,20"


def _stopping_can_happen(values: Values) -> Iterator[Contradiction]:
    least, epochs = values.number("early_stopping_min_epochs"), values.number("epochs")
    if values.text("early_stopping") == "True" and least and epochs and least >= epochs:
        message = f"early_stopping_min_epochs={least} never stops early: {values.written('epochs')}"
        yield "early_stopping_min_epochs", "warning", message


def _pretrained_weights_exist(values: Values) -> Iterator[Contradiction]:
    if values.text("use_pretrained_model") != "1" or values.algorithm.find("num_layers") is None:
        return
    if values.text("num_layers") in _FEW_LAYERS:
        message = "use_pretrained_model=1 has weights for num_layers 18, 34, 50, 101, 152 and 200"
        yield "num_layers", "error", f"{message}, not {values.text('num_layers')}"
    if values.numbers("image_shape")[1:] not in ((224, 224), ()):
        message = "use_pretrained_model=1 has weights for 224 x 224 pixels"
        yield "image_shape", "warning", f"{message}, and image_shape is {values.text('image_shape')}"


def _layers_fit_the_picture(values: Values) -> Iterator[Contradiction]:
    shape, layers = values.numbers("image_shape"), values.text("num_layers")
    if len(shape) != 3 or layers is None:
        return
    if max(shape[1:]) <= _SMALL and layers not in _FEW_LAYERS:
        message = (
            f"{values.written('num_layers')} is for large pictures; with {values.written('image_shape')}"
        )
        yield "num_layers", "warning", f"{message} set one of {', '.join(_FEW_LAYERS)}"


def _channels_are_three(values: Values) -> Iterator[Contradiction]:
    shape = values.numbers("image_shape")
    if len(shape) == 3 and shape[0] != 3:
        message = f"image_shape starts with {shape[0]} channels; endpoints are known to fail unless it is 3"
        yield "image_shape", "warning", message


def _top_k_says_something(values: Values) -> Iterator[Contradiction]:
    best, classes = values.number("top_k"), values.number("num_classes")
    if best and classes and best >= classes:
        message = f"top_k={best}: expected less than num_classes={classes}"
        message += ", for with all classes the accuracy is always 1"
        yield "top_k", "warning", message


def _weighted_loss_has_several_labels(values: Values) -> Iterator[Contradiction]:
    if values.text("use_weighted_loss") != "1":
        return
    if values.text("multi_label") != "1":
        yield "use_weighted_loss", "error", "use_weighted_loss=1 works only with multi_label=1; leave it out"
    elif values.mode == "Pipe":
        message = "use_weighted_loss=1 is known to fail in Pipe mode (KeyError pos_cls_weights)"
        yield "use_weighted_loss", "warning", message


def _pattern_is_one(values: Values) -> Iterator[Contradiction]:
    try:
        re.compile(values.text("freeze_layer_pattern") or "")
    except (re.error, OverflowError, RecursionError) as error:
        message = f"freeze_layer_pattern is not a valid regular expression: {error}"
        yield "freeze_layer_pattern", "error", message


RULES: tuple[Callable[[Values], Iterator[Contradiction]], ...] = (
    _checkpoints_within_epochs,
    _batch_within_samples,
    _resize_covers_the_crop,
    _steps_within_epochs,
    _step_schedule_has_steps,
    _stopping_can_happen,
    _pretrained_weights_exist,
    _layers_fit_the_picture,
    _channels_are_three,
    _top_k_says_something,
    _weighted_loss_has_several_labels,
    _pattern_is_one,
)
