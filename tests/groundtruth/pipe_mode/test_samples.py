import io

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.pipe_mode.samples import (
    JPEG,
    PNG,
    LabelFormat,
    NotASample,
    Sample,
    SampleBox,
    SampleBoxes,
    SampleSize,
    read_pipe,
    read_samples,
)
from manifest_tools.io.recordio import MAGIC, CorruptRecord, frame

NAMES = ("source-ref", "kind")
BOX = (
    b'{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":'
    b'[{"class_id":1,"left":10,"top":2.5,"width":100,"height":50}]}'
)


def read(label: bytes, label_format: LabelFormat = "class-index", num_classes: int | None = 3) -> object:
    (sample,) = read_samples([JPEG, label], NAMES, label_format, num_classes)
    return sample.label


@pytest.mark.parametrize(
    ("label", "label_format", "expected"),
    [
        pytest.param(b"0", "class-index", (0,), id="a class"),
        pytest.param(b"[0,2]", "class-id", (0, 2), id="classes as Ground Truth writes them"),
        pytest.param(b"[ 2 ,0]", "class-id", (2, 0), id="classes in no order, with blanks"),
        pytest.param(b"[]", "class-id", (), id="no class"),
        pytest.param(b"[1,0,1]", "multi-hot", (0, 2), id="a number for every class"),
        pytest.param(
            BOX,
            "boxes",
            SampleBoxes((SampleSize(640, 480, 3),), (SampleBox(1, 10, 2.5, 100, 50),)),
            id="a box",
        ),
        pytest.param(
            b'{"annotations":[],"image_size":[{"width":6,"height":4}],"x":1}',
            "boxes",
            SampleBoxes((SampleSize(6, 4, 3),), ()),
            id="an empty picture",
        ),
        pytest.param(PNG + b"...", "mask", PNG + b"...", id="a mask"),
    ],
)
def test_a_label_is_read_as_the_algorithm_would(
    label: bytes, label_format: LabelFormat, expected: object
) -> None:
    assert read(label, label_format) == expected


@pytest.mark.parametrize(
    ("label", "label_format", "reason"),
    [
        pytest.param(b"3", "class-index", "from 0 below num_classes=3, found 3", id="a class too high"),
        pytest.param(b"-1", "class-index", "expected one class index, found '-1'", id="a negative class"),
        pytest.param(b"RH", "class-index", "expected one class index, found 'RH'", id="a class by name"),
        pytest.param(b"1.0", "class-index", "expected one class index, found '1.0'", id="a float"),
        pytest.param(b"", "class-index", "expected one class index, found nothing", id="nothing"),
        pytest.param(b"[0,2]", "class-index", "a list needs multi_label=1", id="a list for one class"),
        pytest.param("²".encode(), "class-index", "expected one class index", id="a digit that is none"),
        pytest.param(b"9" * 400, "class-index", "expected one class index", id="400 digits"),
        pytest.param(b"2", "class-id", "expected a list of class indices, found '2'", id="one for a list"),
        pytest.param(b"[0,true]", "class-id", "expected a list", id="a boolean"),
        pytest.param(b"[0,3]", "class-id", "below num_classes=3, found 3", id="an id too high"),
        pytest.param(b"[2,2]", "class-id", "expected each class once", id="a class twice"),
        pytest.param(b"[" * 10**5, "class-id", "expected a list", id="nesting without end"),
        pytest.param(b"[0,2]", "multi-hot", "label-format=class-id", id="ids for a vector"),
        pytest.param(b"[0,2,1]", "multi-hot", "expected 3 zeros and ones", id="ids, as many as classes"),
        pytest.param(b"1", "boxes", "expected image_size and annotations, found '1'", id="a class for boxes"),
        pytest.param(
            BOX.replace(b"640", b'"640"'), "boxes", r"\$.image_size\[0\].width", id="a width as text"
        ),
        pytest.param(BOX.replace(b":1,", b':"1",'), "boxes", "class_id", id="a class_id as text"),
        pytest.param(BOX.replace(b":1,", b":3,"), "boxes", "below num_classes=3", id="a class_id too high"),
        pytest.param(BOX.replace(b":3}", b":1}"), "boxes", "3 channels, found depth 1", id="a grey picture"),
        pytest.param(b'{"image_size":[],"annotations":[]}', "boxes", "expected one image_size", id="no size"),
        pytest.param(JPEG, "mask", "expected a mask, which is a PNG, found bytes ff d8 ff", id="a JPEG mask"),
    ],
)
def test_what_is_no_label_is_said_with_its_sample(
    label: bytes, label_format: LabelFormat, reason: str
) -> None:
    with pytest.raises(NotASample, match=f"^pipe stream: sample 1: .*{reason}") as found:
        read(label, label_format)
    assert found.value.sample == 1
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("payloads", "sample", "reason"),
    [
        pytest.param([b"1", JPEG], 1, "the picture comes first", id="the wrong order"),
        pytest.param([JPEG, b"1", b"GIF89a", b"1"], 2, "a JPEG or PNG picture, found 'GIF89a'", id="a GIF"),
        pytest.param([JPEG, b"1", b"", b"1"], 2, "found nothing", id="an empty picture"),
        pytest.param([JPEG, b"1", JPEG], 2, "kind is missing", id="an end in the middle of a sample"),
        pytest.param([JPEG, b"1", JPEG, JPEG], 2, "found bytes ff d8 ff", id="a label left out"),
    ],
)
def test_records_that_are_no_pair_are_counted(payloads: list[bytes], sample: int, reason: str) -> None:
    seen: list[Sample] = []
    with pytest.raises(NotASample, match=reason) as found:
        seen.extend(read_samples(payloads, NAMES))
    assert (found.value.sample, len(seen)) == (sample, sample - 1)


def test_a_stream_is_read_through_its_framing() -> None:
    picture = PNG + MAGIC * 3
    stream = io.BytesIO(frame(picture) + frame(b"1") + frame(JPEG) + frame(b"0"))
    assert list(read_pipe(stream, NAMES)) == [Sample(1, picture, (1,)), Sample(2, JPEG, (0,))]


def test_a_stream_that_is_cut_off_says_at_which_byte() -> None:
    stream = io.BytesIO((frame(JPEG) + frame(b"1"))[:-2])
    with pytest.raises(CorruptRecord, match="train_0: byte 12: "):
        list(read_pipe(stream, NAMES, name="train_0"))


def test_three_attributes_are_no_sample_of_any_algorithm() -> None:
    with pytest.raises(Refused, match="expected two attributes"):
        list(read_samples([], ("source-ref", "a", "b")))


def test_a_multi_hot_label_needs_the_number_of_classes() -> None:
    with pytest.raises(Refused, match="expected num_classes, because a multi-hot label"):
        list(read_samples([], NAMES, "multi-hot"))
