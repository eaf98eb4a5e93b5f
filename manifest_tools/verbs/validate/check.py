"""Checks manifests as the options of validate say."""

from collections.abc import Mapping

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.verbs.validate import validate as engine
from manifest_tools.verbs.validate.choices import Purpose
from manifest_tools.verbs.validate.explain import chosen
from manifest_tools.verbs.validate.objects import check_objects
from manifest_tools.verbs.validate.preflight.preflight import (
    Preflight,
    read_hyperparameters,
    read_request,
    smallest,
)


def validate(
    *manifests: AnyPath,
    label_attribute: str | None = None,
    select: AnyPaths = (),
    ignore: AnyPaths = (),
    objects: bool = False,
    images: AnyPaths = (),
    decode: bool = False,
    for_: Purpose | None = None,
    hyperparameters: AnyPath | None = None,
    p: Mapping[str, object] | None = None,
    together: bool = True,
    jobs: Jobs = None,
) -> engine.Report:
    """Return a report that finds, as one iterates, every problem of every line of some manifests.

    ``select`` and ``ignore`` name codes, or their beginnings. ``objects`` looks at the pictures as well, and
    ``decode`` reads each whole. ``for_`` says which algorithm or service must take the manifests, with
    ``hyperparameters`` of a file, and ``p`` by name. Several manifests are compared with one another, unless
    ``together`` is False. Raises Refused where there is no such file or code.
    """
    names, folders = tuple(map(as_text, manifests)), as_texts(images)
    preflight = _preflight(for_, hyperparameters, p or {})
    found = check_objects(
        *names,
        images=folders,
        label_attribute=label_attribute,
        smallest=smallest(preflight) if preflight is not None else None,
        decode=decode,
        jobs=jobs,
    )
    return engine.validate(
        *names,
        label_attribute=label_attribute,
        preflight=preflight,
        together=together,
        codes=chosen(as_texts(select), as_texts(ignore)),
        objects=found if objects else (),
        images=folders or None,
        jobs=jobs,
    )


def _preflight(
    purpose: Purpose | None, hyperparameters: AnyPath | None, values: Mapping[str, object]
) -> Preflight | None:
    if purpose is None:
        if hyperparameters is not None or values:
            raise Refused(
                "hyperparameters and p need for_; pass for_='builtin' too, or another of its choices"
            )
        return None
    file = None if hyperparameters is None else as_text(hyperparameters)
    request = None if file is None else read_request(file)
    typed = [f"{name}={value}" for name, value in values.items()]
    return Preflight(purpose, read_hyperparameters(None if request is not None else file, typed), request)
