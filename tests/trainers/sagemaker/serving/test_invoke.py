import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.unusable import MISSING, Unusable
from tests.pictures import jpeg
from tests.trainers.sagemaker.resources import THROTTLED, Fault, Step
from tests.trainers.sagemaker.served_models import TABLE, bucket, in_service, put
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.prediction import Prediction, Unread
from trainers.sagemaker.client.client import Denied, NotThere, Throttled
from trainers.sagemaker.serving.endpoint_info import LARGEST_SERVERLESS, EndpointInfo, find_endpoint
from trainers.sagemaker.serving.invoke import content_type, invoke
from trainers.sagemaker.serving.read_answers import NoAnswer, prediction, read_answer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SERVED = EndpointInfo("hands", TABLE)
PNG = b"\x89PNG\r\n\x1a\n"


class Nights:
    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def asked(
    pictures: dict[str, bytes], endpoint: EndpointInfo = SERVED, **words: Any
) -> list[Prediction | Unread]:
    """Return all answers, asked without a pause."""
    words.setdefault("sleep", Nights().sleep)
    return list(invoke(endpoint, pictures, pictures.__getitem__, **words))


def test_answers_come_in_order_whoever_is_first(sagemaker: SageMaker) -> None:
    sagemaker.put("Endpoint", "hands")
    slow = threading.Event()

    def respond(name: str, kind: str, data: bytes) -> bytes:
        share = data[-1] / 100
        return json.dumps([share, 1 - share]).encode()

    sagemaker.responder = respond
    pictures = {f"{number}.jpg": jpeg(100) + bytes([number]) for number in range(50)}
    found = asked(pictures)
    assert not slow.is_set()
    assert [one.picture for one in found] == list(pictures)
    assert [one.probabilities[0] for one in found if isinstance(one, Prediction)] == [
        number / 100 for number in range(50)
    ]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"\xff\xd8\xff\xe0", "image/jpeg", id="JPEG"),
        pytest.param(PNG, "image/png", id="PNG"),
        pytest.param(b"BM", "application/x-image", id="BMP"),
        pytest.param(b"RIFF\0\0\0\0WEBP", "application/x-image", id="WebP"),
        pytest.param(b"MM\0*", "application/x-image", id="TIFF"),
    ],
)
def test_the_content_type_is_that_of_the_bytes(sagemaker: SageMaker, data: bytes, kind: str) -> None:
    sagemaker.put("Endpoint", "hands")
    asked({"picture.dat": data})
    sent = sagemaker.sent("InvokeEndpoint")[0]
    assert (sent["ContentType"], sent["Accept"], sent["Body"]) == (kind, "application/json", data)


@given(st.binary(max_size=20))
def test_other_bytes_are_refused_or_have_a_type(data: bytes) -> None:
    try:
        assert "/" in content_type(data)
    except ValueError as error:
        assert "expected a JPEG or PNG picture, found" in str(error)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"<html>", "expected a JPEG or PNG picture, found an HTML page", id="no picture"),
        pytest.param(b"", "found an empty file", id="empty"),
        pytest.param(b"GIF89a", "convert it first", id="GIF"),
        pytest.param(PNG + bytes(6 * 1024 * 1024), "expected at most 6,291,456 bytes", id="too large"),
    ],
)
def test_what_the_endpoint_would_refuse_is_not_sent(sagemaker: SageMaker, data: bytes, said: str) -> None:
    (found,) = asked({"a.jpg": data})
    assert isinstance(found, Unread)
    assert said in found.reason
    assert sagemaker.requests == []


def test_what_is_too_large_says_what_to_do(sagemaker: SageMaker) -> None:
    endpoint = EndpointInfo("hands", TABLE, largest=LARGEST_SERVERLESS)
    (found,) = asked({"a.jpg": PNG + bytes(LARGEST_SERVERLESS)}, endpoint)
    assert isinstance(found, Unread)
    assert "shrink it (mtool convert --resize), or type mtool transform" in found.reason


def test_a_picture_that_cannot_be_read_does_not_keep_the_next_one(sagemaker: SageMaker) -> None:
    sagemaker.put("Endpoint", "hands")

    def read(name: str) -> bytes:
        if name == "a.jpg":
            raise Unusable(MISSING, "a.jpg: not there")
        return jpeg(1)

    first, second = invoke(SERVED, ["a.jpg", "b.jpg"], read)
    assert first == Unread("a.jpg", "not there")
    assert second == Prediction("b.jpg", (0.25, 0.75), (1,))


@pytest.mark.parametrize(
    "fault",
    [THROTTLED, Fault("ServiceUnavailable", "", 503), Fault("InternalFailure", "", 500)],
    ids=["throttled", "unavailable", "out of order"],
)
def test_what_passes_is_asked_again_with_longer_waits(sagemaker: SageMaker, fault: Fault) -> None:
    sagemaker.put("Endpoint", "hands")
    sagemaker.answer("InvokeEndpoint", fault, fault, fault)
    nights, said = Nights(), list[str]()
    (found,) = asked({"a.jpg": jpeg(1)}, sleep=nights.sleep, notify=said.append)
    assert isinstance(found, Prediction)
    assert nights.slept == [0.5, 1, 2]
    assert len(said) == 3


def test_what_does_not_pass_ends_it(sagemaker: SageMaker) -> None:
    sagemaker.put("Endpoint", "hands")
    sagemaker.answer("InvokeEndpoint", *[THROTTLED] * 6)
    with pytest.raises(Throttled):
        asked({"a.jpg": jpeg(1)})
    assert len(sagemaker.requests) == 6


def test_a_picture_that_the_model_refuses_is_unread(sagemaker: SageMaker) -> None:
    sagemaker.put("Endpoint", "hands")
    said = 'Received client error (400) from primary with message "unable to evaluate payload"'
    sagemaker.answer("InvokeEndpoint", Fault("ModelError", said, 424))
    first, second = asked({"a.jpg": jpeg(1), "b.jpg": jpeg(2)}, at_once=1)
    assert sorted([type(first).__name__, type(second).__name__]) == ["Prediction", "Unread"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("ValidationError", "Endpoint hands of account 111122223333 not found."), NotThere),
        (Fault("AccessDeniedException", ""), Denied),
    ],
)
def test_what_holds_for_every_picture_ends_it(
    sagemaker: SageMaker, fault: Fault, kind: type[Exception]
) -> None:
    sagemaker.answer("InvokeEndpoint", *[fault] * 3)
    with pytest.raises(kind):
        asked({"a.jpg": jpeg(1), "b.jpg": jpeg(2)})


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"[2]", b"[NaN]", b'["a"]', b"[true]", b'{"predictions": 1}', b"\xff", b"[" * 100_000],
)
def test_other_answers_are_none(data: bytes) -> None:
    with pytest.raises(NoAnswer, match="expected one probability a class"):
        read_answer(data)


def test_several_labels_are_all_that_are_likely_enough() -> None:
    assert prediction("a", (0.9, 0.1, 0.5), TABLE, True).classes == (0, 2)
    assert prediction("a", (0.1, 0.1, 0.2), TABLE, True).classes == ()


def test_a_table_of_more_classes_is_another_model_s() -> None:
    with pytest.raises(NoAnswer, match="expected 2 probabilities, one for each class of the table, found 1"):
        prediction("a", (1.0,), TABLE, False)


def test_an_endpoint_s_classes_are_where_its_tag_says(sagemaker: SageMaker, s3: "S3Client") -> None:
    bucket(s3)
    uri = put(s3, "x/classes.json", json.dumps(TABLE.to_json()).encode())
    in_service(sagemaker, "hands", mtool__classes=uri)
    assert find_endpoint("hands") == EndpointInfo("hands", TABLE)


def test_or_beside_its_model(sagemaker: SageMaker, s3: "S3Client") -> None:
    bucket(s3)
    put(s3, "hands/classes.json", b'["RH", "LH"]')
    in_service(sagemaker, "hands", mtool__multi_label="1")
    endpoint = find_endpoint("hands")
    assert (endpoint.table, endpoint.multi_label) == (TABLE, True)


def test_or_what_was_typed(sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", serverless=True)
    assert find_endpoint("hands", TABLE) == EndpointInfo("hands", TABLE, largest=LARGEST_SERVERLESS)


def test_a_table_that_is_not_the_model_s_is_left_aside(sagemaker: SageMaker, s3: "S3Client") -> None:
    bucket(s3)
    put(s3, "hands/classes.json", b'["LH", "RH"]')
    in_service(sagemaker, "hands", mtool__classes_sha256=TABLE.digest)
    endpoint = find_endpoint("hands")
    assert endpoint.table == ClassTable()
    assert "so it is not used" in endpoint.notes[0]
    assert "type --classes FILE" in endpoint.notes[1]


def test_whoever_may_only_ask_asks(sagemaker: SageMaker) -> None:
    sagemaker.answer("DescribeEndpoint", Fault("AccessDeniedException", ""))
    endpoint = find_endpoint("hands", TABLE)
    assert endpoint.table == TABLE
    assert "hands may not be looked at, so mtool knows of it only what you type" in endpoint.notes[0]


def test_without_leave_to_look_for_names_it_is_asked_without(sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands")
    sagemaker.answer("ListTags", Fault("AccessDeniedException", ""))
    assert "may not be looked at" in find_endpoint("hands").notes[0]


@pytest.mark.parametrize("state", ["Creating", "Failed", "OutOfService", "Deleting"])
def test_one_that_answers_nobody_is_refused(sagemaker: SageMaker, state: str) -> None:
    sagemaker.put("Endpoint", "hands", Step(state, reason="because" if state == "Failed" else ""))
    with pytest.raises(Refused, match=f"the endpoint is {state} and cannot answer now"):
        find_endpoint("hands")


def test_an_endpoint_that_there_is_none_of(sagemaker: SageMaker) -> None:
    with pytest.raises(NotThere):
        find_endpoint("hands")
