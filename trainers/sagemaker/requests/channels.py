"""Channels of a training job, for the three forms of data that the algorithms take.

An augmented manifest is streamed (Pipe), RecordIO is one .rec file a channel, and pictures are under a
prefix, with channels for their list, masks or boxes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from manifest_tools.algorithms import Algorithm, Input
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.sagemaker.requests.limits import check_s3, check_text, check_whole

DataType = Literal["AugmentedManifestFile", "S3Prefix"]
Mode = Literal["File", "Pipe"]
InputFormat = Literal["augmented-manifest", "recordio", "lst", "image"]

MODEL = "model"
MODEL_CONTENT = "application/x-sagemaker-model"

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
_LONGEST_NAME = 64
_MOST_ATTRIBUTES = 16
_LONGEST_SEED = 2**63 - 1  # a long of the API's


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel: where its data is, and how the container gets it.

    Raises Refused for what the service, or the container, would not take.
    """

    name: str
    """Its name."""

    uri: str
    """The URI of a manifest, or a prefix in S3."""

    content_type: str
    """What the container takes the data for."""

    data_type: DataType = "S3Prefix"
    """What ``uri`` is."""

    mode: Mode = "File"
    """Whether the data is streamed (Pipe), or copied to the disk (File)."""

    attributes: tuple[str, ...] = ()
    """The AttributeNames of an augmented manifest, picture first; empty for other data."""

    wrapper: Literal["None", "RecordIO"] = "None"
    """How records are packed on the form."""

    shuffle_seed: int | None = None
    """The seed by which lines are shuffled before every epoch; None for no shuffling."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= _LONGEST_NAME or self.name.strip(_LETTERS):
            raise Refused(
                f"channel: expected 1 to 64 letters, digits and .-_ as its name, found {shown(self.name)}"
            )
        check_s3(f"channel {self.name}", self.uri)
        check_text(f"channel {self.name}: content type", self.content_type, 256)
        if self.shuffle_seed is not None:
            check_whole("shuffle seed", self.shuffle_seed, 0, _LONGEST_SEED)
        if self.shuffle_seed is not None and self.mode != "Pipe":
            raise Refused(
                f"channel {self.name}: a shuffle seed is for Pipe mode; in File mode nothing is shuffled"
            )
        _check_manifest(self)


def _check_manifest(channel: Channel) -> None:
    """Raise Refused for known failures 1 to 5: an augmented manifest whose channel is set up by half."""
    if channel.data_type != "AugmentedManifestFile":
        if channel.attributes:
            raise Refused(f"channel {channel.name}: AttributeNames are for an augmented manifest")
        return
    if channel.mode != "Pipe" or channel.wrapper != "RecordIO":
        raise Refused(
            f"channel {channel.name}: an augmented manifest needs Pipe mode and the wrapper RecordIO"
        )
    if channel.uri.endswith("/") or not channel.uri.removeprefix("s3://").partition("/")[2]:
        raise Refused(f"channel {channel.name}: expected the URI of a manifest, found {shown(channel.uri)}")
    check_whole(f"channel {channel.name}: attributes", len(channel.attributes), 2, _MOST_ATTRIBUTES)
    for name in channel.attributes:
        check_text(f"channel {channel.name}: attribute", name, 256)
    if len(set(channel.attributes)) < len(channel.attributes):
        raise Refused(f"channel {channel.name}: an attribute stands twice in AttributeNames")


def manifest_channels(
    algorithm: Algorithm,
    uris: Mapping[str, str],
    attributes: Sequence[str],
    *,
    multi_label: bool = False,
    shuffle_seed: int | None = None,
) -> tuple[Channel, ...]:
    """Return channels that stream augmented manifests; ``uris`` are those of train and validation.

    ``attributes`` are the picture's and the label's. ``multi_label`` is for Ground Truth's lists of classes,
    which the container would else read as zeros and ones. Only train is shuffled.
    """
    form = find_input(algorithm, "augmented-manifest")
    content = form.multi_label if multi_label else form.content_types[0]
    if content is None:
        raise Refused(f"{algorithm.name} takes no lists of classes; its label is {algorithm.label}")
    return tuple(
        Channel(
            name=name,
            uri=uri,
            content_type=content,
            data_type="AugmentedManifestFile",
            mode="Pipe",
            attributes=tuple(attributes),
            wrapper="RecordIO",
            shuffle_seed=shuffle_seed if name == "train" else None,
        )
        for name, uri in _complete(uris, form, algorithm)
    )


def recordio_channels(
    algorithm: Algorithm, uris: Mapping[str, str], *, mode: Mode = "File", shuffle_seed: int | None = None
) -> tuple[Channel, ...]:
    """Return channels of one .rec file each; ``uris`` are the files', or of prefixes with one file."""
    form = find_input(algorithm, "recordio")
    return tuple(
        Channel(
            name=name,
            uri=uri,
            content_type=form.content_types[0],
            mode=mode,
            shuffle_seed=shuffle_seed if name == "train" else None,
        )
        for name, uri in _complete(uris, form, algorithm)
    )


def image_channels(algorithm: Algorithm, uris: Mapping[str, str]) -> tuple[Channel, ...]:
    """Return channels of pictures: with .lst files, masks or boxes, as the algorithm has them.

    ``uris`` has one for each of the four channels, such as ``train_lst``. Masks are PNG; everything else
    goes by the best content type of the algorithm's table.
    """
    form = find_input(algorithm, "image")
    return tuple(
        Channel(name=name, uri=uri, content_type=_picture_type(name, form))
        for name, uri in _complete(uris, form, algorithm)
    )


def model_channel(uri: str) -> Channel:
    """Return the channel of an earlier job's ``model.tar.gz``, from whose weights the job begins."""
    if not uri.endswith(".tar.gz"):
        raise Refused(f"first weights: expected the model.tar.gz of an earlier job, found {shown(uri)}")
    return Channel(name=MODEL, uri=uri, content_type=MODEL_CONTENT)


def find_input(algorithm: Algorithm, form: InputFormat) -> Input:
    """Return how the algorithm takes data of this form; pictures with .lst count as pictures.

    Raises Refused where the algorithm does not take it.
    """
    name = "image" if form == "lst" else form
    found = next((one for one in algorithm.inputs if one.name == name), None)
    if found is None:
        forms = " and ".join(one.name for one in algorithm.inputs)
        raise Refused(f"{algorithm.name} takes no {name}; it takes {forms}")
    return found


def input_of(channels: Sequence[Channel], algorithm: Algorithm) -> Input:
    """Return which form of data a job's channels are; raises Refused where the algorithm takes no such
    form.

    >>> from manifest_tools.algorithms import algorithm
    >>> found = recordio_channels(algorithm("object-detection"), {"train": "s3://birds/t.rec", "validation": "s3://birds/v.rec"})
    >>> input_of(found, algorithm("object-detection")).name
    'recordio'
    """
    names = [one.name for one in channels]
    if len(set(names)) < len(names):
        raise Refused(f"channels: expected each name once, found {', '.join(names)}")
    problems = [(_misfits(channels, form), form) for form in algorithm.inputs]
    best = min(problems, key=lambda one: len(one[0]))
    if best[0]:
        raise Refused(f"{algorithm.name} by {best[1].name}: {best[0][0]}")
    return best[1]


def _misfits(channels: Sequence[Channel], form: Input) -> list[str]:
    """Return what keeps the channels from being this form of data."""
    data = [one for one in channels if one.name in form.channels]
    names = {one.name for one in channels}
    found = [f"channel {name} is missing" for name in form.channels if name not in names]
    known = (*form.channels, *form.optional)
    found += [f"there is no channel {name}; expected {', '.join(known)}" for name in names - set(known)]
    found += [
        f"channel {one.name}: expected {form.data_type}" for one in data if one.data_type != form.data_type
    ]
    found += [
        f"channel {one.name}: expected {' or '.join(form.modes)} mode"
        for one in data
        if one.mode not in form.modes
    ]
    if len({one.mode for one in data}) > 1:
        found.append("expected one input mode for all data channels")
    found += [
        f"channel {one.name}: expected {' or '.join(form.content_types)}, found {shown(one.content_type)}"
        for one in data
        if not _takes(form, one.content_type)
    ]
    return sorted(found)


def _takes(form: Input, content_type: str) -> bool:
    """Return whether the form takes a content type; of lists of classes both forms are documented."""
    lists = (form.multi_label, "application/x-recordio; label-format=multi-hot") if form.multi_label else ()
    return content_type in (*form.content_types, *lists)


def _complete(uris: Mapping[str, str], form: Input, algorithm: Algorithm) -> list[tuple[str, str]]:
    if set(uris) != set(form.channels):
        found = ", ".join(uris) or "none"
        raise Refused(
            f"{algorithm.name} by {form.name} needs channels {', '.join(form.channels)}; found {found}"
        )
    return [(name, uris[name]) for name in form.channels]


def _picture_type(name: str, form: Input) -> str:
    masks = name.endswith("_annotation") and form.content_types[0] == "image/jpeg"
    return "image/png" if masks else form.content_types[0]
