"""``mtool train`` on this machine as a function."""

from collections.abc import Sequence

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.io.sinks import check_key
from trainers.events import EventListener
from trainers.prepare import read_pair, read_pictures, records_of_pair, records_place
from trainers.registry import DEFAULT
from trainers.training import Result, check_model_is_free, check_resume
from trainers.training import train as train_on
from trainers.words.learning import Choices, given


def train(
    train_manifest: AnyPath = "train.manifest",
    validation_manifest: AnyPath = "validation.manifest",
    output: AnyPath = "model",
    *,
    label_attribute: str | None = None,
    classes: ClassTable | AnyPath | None = None,
    images: AnyPaths = (),
    conflicts: ConflictPolicy = "drop",
    trainer: str = DEFAULT,
    params: AnyPath | None = None,
    init_from: AnyPath | None = None,
    seed: int | None = None,
    network: str | None = None,
    epochs: int | None = None,
    patience: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    image_size: int | None = None,
    optimizer: str | None = None,
    augment: bool | None = None,
    mirror: bool | None = None,
    pretrained: bool | None = None,
    resume: bool = False,
    force: bool = False,
    kms_key: str | None = None,
    jobs: Jobs = None,
    listeners: Sequence[EventListener] = (),
) -> Result:
    """Fine-tune a classifier on two manifests on this machine, and write its model to the folder ``output``.

    What is None follows from the pictures, so that it ends in minutes. The model is that of the epoch which
    does best on the validation manifest. Pictures that cannot be used are left out. ``listeners`` are given
    the events of the run. Raises Exists for another model there without ``force``, Refused where no picture
    can be had, ClassConflict where the manifests disagree; after KeyboardInterrupt the best epoch is kept.
    """
    place = as_text(output)
    check_resume(place, resume, force)
    check_key(kms_key, [place])
    pair = read_pair(
        as_text(train_manifest),
        as_text(validation_manifest),
        label_attribute,
        classes_from(classes),
        as_texts(images),
        conflicts,
    )
    choices = Choices(
        trainer,
        None if params is None else as_text(params),
        given(
            init_from=init_from,
            seed=seed,
            network=network,
            epochs=epochs,
            patience=patience,
            batch_size=batch_size,
            learning_rate=learning_rate,
            image_size=image_size,
            optimizer=optimizer,
            augment=augment,
            mirror=mirror,
            pretrained=pretrained,
        ),
    )
    config = choices.config(choices.facts(pair))
    if not force and not resume:
        check_model_is_free(place, config, trainer)
    read = read_pictures(jobs)
    with records_place(place) as records:
        plans = records_of_pair(pair, records, config.image_size)
        data = [read(planned)[0] for planned in plans]
        return train_on(
            data[0],
            data[1],
            config,
            place,
            listeners,
            trainer=trainer,
            force=force,
            resume=resume,
            kms_key=kms_key,
        )
