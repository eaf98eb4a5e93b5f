from dataclasses import replace
from typing import Any

import pytest

from manifest_tools.algorithms import ALGORITHMS, Algorithm
from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.labs import BIRDS, IC, OD, SEG
from trainers.sagemaker.requests.channels import (
    Channel,
    image_channels,
    input_of,
    manifest_channels,
    model_channel,
    recordio_channels,
)

ATTRIBUTES = ["source-ref", "species"]
TRAIN, VALIDATION = manifest_channels(IC, BIRDS, ATTRIBUTES)


def pair(**other: Any) -> tuple[Channel, ...]:
    """Return the two channels of a manifest, both with the same other fields."""
    return tuple(replace(one, **other) for one in (TRAIN, VALIDATION))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_way_of_every_algorithm_is_known_again(name: str) -> None:
    algorithm = ALGORITHMS[name]
    for way in algorithm.inputs:
        uris = {one: f"s3://example-bucket/{one}" for one in way.channels}
        if way.name == "augmented-manifest":
            made = manifest_channels(algorithm, uris, ATTRIBUTES)
        else:
            made = {"recordio": recordio_channels, "image": image_channels}[way.name](algorithm, uris)
        assert [one.name for one in made] == list(way.channels)
        assert input_of(made, algorithm) == way
        assert input_of((*made, model_channel("s3://example-bucket/a/model.tar.gz")), algorithm) == way


def test_lists_of_classes_have_a_content_type_of_their_own() -> None:
    made = manifest_channels(IC, BIRDS, ATTRIBUTES, multi_label=True)
    assert {one.content_type for one in made} == {"application/x-recordio; label-format=class-id"}
    with pytest.raises(Refused, match="object-detection takes no lists of classes; its label is boxes"):
        manifest_channels(OD, BIRDS, ATTRIBUTES, multi_label=True)


def test_only_train_is_shuffled() -> None:
    made = manifest_channels(IC, BIRDS, ATTRIBUTES, shuffle_seed=0)
    assert [one.shuffle_seed for one in made] == [0, None]


def test_masks_are_png_and_their_pictures_jpeg() -> None:
    names = ("train", "validation", "train_annotation", "validation_annotation")
    made = image_channels(SEG, {name: f"s3://example-bucket/{name}/" for name in names})
    assert [one.content_type for one in made] == ["image/jpeg", "image/jpeg", "image/png", "image/png"]


def test_segmentation_takes_no_recordio() -> None:
    with pytest.raises(
        Refused, match="semantic-segmentation takes no recordio; it takes augmented-manifest and"
    ):
        recordio_channels(SEG, BIRDS)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param({"name": ""}, "expected 1 to 64 letters", id="a name that is empty"),
        pytest.param({"name": "tr ain"}, "expected 1 to 64 letters", id="a name with a blank"),
        pytest.param({"uri": "train.manifest"}, "expected s3://bucket/key", id="a local file"),
        pytest.param(
            {"uri": "s3://lab#-rawdata/a"}, "no bucket is called 'lab#-rawdata'", id="a placeholder"
        ),
        pytest.param({"uri": "s3://example-bucket/a/"}, "expected the URI of a manifest", id="a prefix"),
        pytest.param({"uri": "s3://example-bucket"}, "expected the URI of a manifest", id="a bucket"),
        pytest.param(
            {"uri": "s3://example-bucket/" + "a" * 1024}, "at most 1,024", id="a key that is too long"
        ),
        pytest.param({"uri": "s3://example-bucket/\n"}, "expected s3://bucket/key", id="a line break"),
        pytest.param({"mode": "File"}, "needs Pipe mode", id="known failure: File mode"),
        pytest.param({"wrapper": "None"}, "needs Pipe mode and the wrapper RecordIO", id="no wrapper"),
        pytest.param({"attributes": ()}, "attributes: expected 2 to 16, found 0", id="no attributes"),
        pytest.param({"attributes": ("source-ref",)}, "expected 2 to 16, found 1", id="no label"),
        pytest.param({"attributes": ("a", "a")}, "an attribute stands twice", id="an attribute twice"),
        pytest.param({"attributes": ("a", "")}, "attribute: expected 1 to 256", id="an empty attribute"),
        pytest.param(
            {"data_type": "S3Prefix"}, "AttributeNames are for an augmented manifest", id="a prefix"
        ),
        pytest.param({"shuffle_seed": -1}, "shuffle seed: expected 0 to", id="a seed below 0"),
        pytest.param({"content_type": ""}, "content type: expected 1 to 256", id="no content type"),
    ],
)
def test_a_channel_that_would_fail_is_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        replace(TRAIN, **other)
    assert message in str(refused.value) and str(refused.value).isprintable()


def test_nothing_is_shuffled_in_file_mode() -> None:
    with pytest.raises(Refused, match="a shuffle seed is for Pipe mode"):
        recordio_channels(IC, BIRDS, shuffle_seed=1)
    assert recordio_channels(IC, BIRDS, mode="Pipe", shuffle_seed=1)[0].shuffle_seed == 1


@pytest.mark.parametrize(
    ("algorithm", "channels", "message"),
    [
        pytest.param(IC, (), "channel train is missing", id="no channels"),
        pytest.param(IC, (TRAIN,), "augmented-manifest: channel validation is missing", id="no validation"),
        pytest.param(IC, (TRAIN, TRAIN), "expected each name once, found train, train", id="one twice"),
        pytest.param(
            IC,
            (*pair(), replace(TRAIN, name="test")),
            "there is no channel test; expected train, validation, model",
            id="one too many",
        ),
        pytest.param(
            IC,
            pair(content_type="application/x-image"),
            "found 'application/x-image'",
            id="known failure: x-image",
        ),
        pytest.param(
            OD,
            pair(content_type="application/x-recordio; label-format=class-id"),
            "expected application/x-recordio, found",
            id="lists of classes for boxes",
        ),
        pytest.param(
            IC,
            (recordio_channels(IC, BIRDS)[0], recordio_channels(IC, BIRDS, mode="Pipe")[1]),
            "one input mode",
            id="two modes",
        ),
    ],
)
def test_channels_that_are_no_way_in_are_refused(
    algorithm: Algorithm, channels: tuple[Channel, ...], message: str
) -> None:
    with pytest.raises(Refused) as refused:
        input_of(channels, algorithm)
    assert message in str(refused.value)


def test_all_four_channels_are_asked_for() -> None:
    with pytest.raises(
        Refused, match="needs channels train, validation, train_lst, validation_lst; found train"
    ):
        image_channels(IC, BIRDS)


def test_first_weights_are_a_tar_gz() -> None:
    with pytest.raises(
        Refused, match="expected the model.tar.gz of an earlier job, found 's3://example-bucket/a'"
    ):
        model_channel("s3://example-bucket/a")
