"""Objects become one by copies inside S3, in order, whole or not at all."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from manifest_tools.base.errors import MtoolError
from manifest_tools.io import s3 as our
from manifest_tools.io.s3.joining import Piece, parts_of
from manifest_tools.io.s3.multipart import LARGEST, MOST, SMALLEST
from tests.scripted_s3 import Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-out"
TARGET = f"s3://{BUCKET}/train.rec"
MIB = 1 << 20

sizes = st.one_of(
    st.integers(0, 3 * SMALLEST), st.integers(0, 40 << 30), st.sampled_from([0, 1, SMALLEST - 1, SMALLEST])
)


@given(st.lists(sizes, max_size=30))
@example([7 * MIB] * 20_000)
@example([1 << 20] * 30_000)
@example([5 << 40])
@example([(1 << 30) + 1])
@example([(1 << 30) - 1, 5 * MIB, 1])
def test_the_parts_are_all_bytes_in_order_and_what_s3_takes(objects: list[int]) -> None:
    parts = parts_of(objects)
    at = 0
    starts = [sum(objects[:n]) for n in range(len(objects))] if len(objects) < 100 else []
    for piece in (piece for part in parts for piece in part):
        assert 0 <= piece.start <= piece.end <= objects[piece.source]
        if starts and piece.size:
            assert starts[piece.source] + piece.start == at
        at += piece.size
    assert at == sum(objects)
    lengths = [sum(piece.size for piece in part) for part in parts]
    assert all(length >= SMALLEST for length in lengths[:-1])
    assert max(lengths, default=0) <= LARGEST
    assert len(parts) <= MOST


def test_large_objects_are_copied_and_not_read() -> None:
    parts = parts_of([6 * MIB, 7 * MIB, 2 * MIB])
    assert parts == [(Piece(0, 0, 6 * MIB),), (Piece(1, 0, 7 * MIB),), (Piece(2, 0, 2 * MIB),)]


def test_small_ones_take_what_they_lack_from_the_next() -> None:
    parts = parts_of([MIB, 12 * MIB])
    assert parts == [(Piece(0, 0, MIB), Piece(1, 0, 4 * MIB)), (Piece(1, 4 * MIB, 12 * MIB),)]


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def stored(client: "S3Client", lengths: list[int]) -> tuple[list[str], bytes]:
    whole, uris = b"", []
    for number, length in enumerate(lengths):
        data = bytes([number + 1]) * length
        client.put_object(Bucket=BUCKET, Key=f"shards/a b-{number}.rec", Body=data)
        uris.append(f"s3://{BUCKET}/shards/a b-{number}.rec")
        whole += data
    return uris, whole


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param([6 * MIB, 5 * MIB, 100], id="copied, and a small last one"),
        pytest.param([100, 6 * MIB, 0, 3 * MIB, 3 * MIB], id="small ones among others"),
        pytest.param([10, 0, 20], id="small ones alone"),
        pytest.param([0], id="nothing"),
        pytest.param([], id="none"),
    ],
)
def test_the_object_is_the_others_one_behind_the_other(bucket: "S3Client", lengths: list[int]) -> None:
    uris, whole = stored(bucket, lengths)
    assert our.concatenate(uris, TARGET) == len(whole)
    assert our.read(TARGET) == whole
    assert list(our.leftovers(f"s3://{BUCKET}")) == []


def test_one_that_is_not_there_is_named_before_anything_is_made(bucket: "S3Client") -> None:
    uris, _ = stored(bucket, [6 * MIB])
    with pytest.raises(our.NotThere, match="none"):
        our.concatenate([*uris, f"s3://{BUCKET}/none"], TARGET)
    assert not our.exists(TARGET)
    assert list(our.leftovers(f"s3://{BUCKET}")) == []


def test_one_that_changes_meanwhile_is_an_error_and_leaves_nothing(
    speaking: Callable[[Answers], None],
) -> None:
    begun = b"<InitiateMultipartUploadResult><UploadId>u7</UploadId></InitiateMultipartUploadResult>"
    answers = Answers(
        {
            "HEAD": [(200, {"Content-Length": str(6 * MIB), "ETag": '"old"'}, b"")],
            "POST": [(200, {}, begun)],
            "PUT": [refusing(412, "PreconditionFailed")],
            "DELETE": [(204, {}, b"")],
        }
    )
    speaking(answers)
    with pytest.raises(MtoolError, match="was changed while it was read"):
        our.concatenate([f"s3://{BUCKET}/a", f"s3://{BUCKET}/b"], TARGET)
    assert answers.asked[-1] == f"DELETE /{BUCKET}/train.rec?uploadId=u7"
    assert {headers.get("x-amz-copy-source-if-match") for headers in answers.headers} == {None, '"old"'}
