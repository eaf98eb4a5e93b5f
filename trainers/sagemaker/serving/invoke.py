"""Pictures sent to an endpoint, several at a time; the answers come in order.

The built-in algorithm's own preprocessing is not published: its numbers may differ from those of a local
predict.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from manifest_tools.base.errors import MtoolError
from manifest_tools.base.parallel import run
from manifest_tools.images.signatures import describe
from manifest_tools.images.unusable import Unusable
from trainers.prediction import Prediction, Unread
from trainers.sagemaker.client.client import Unreachable, call_service
from trainers.sagemaker.client.retry import Notify, Sleep, notify_nobody, retry
from trainers.sagemaker.serving.endpoint_info import EndpointInfo
from trainers.sagemaker.serving.read_answers import prediction, read_answer

AT_ONCE = 8
_TRIES = 6

Read = Callable[[str], bytes]

# What a file begins with -> what it is sent as; image-classification takes these three.
_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"BM": "application/x-image",
    b"II*\0": "application/x-image",
    b"MM\0*": "application/x-image",
}


def content_type(data: bytes) -> str:
    """Return the content type of a picture, by its first bytes; raises ValueError for what the model cannot
    read.

    >>> content_type(b"\\xff\\xd8\\xff\\xe0")
    'image/jpeg'
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "application/x-image"
    for signature, found in _SIGNATURES.items():
        if data.startswith(signature):
            return found
    raise ValueError(f"expected a JPEG or PNG picture, found {describe(data, len(data))}; convert it first")


def invoke(
    endpoint: EndpointInfo,
    pictures: Iterable[str],
    read: Read,
    *,
    at_once: int = AT_ONCE,
    notify: Notify = notify_nobody,
    sleep: Sleep = time.sleep,
) -> Iterator[Prediction | Unread]:
    """Yield what the endpoint says about each picture, in order; ``read`` returns a picture's bytes.

    A picture that cannot be read, is too large, or that the model refuses is an Unread, and the next one
    follows. While AWS is busy it is asked again, after longer and longer waits, of which ``notify`` is given
    each. Raises what ``client.call_service`` raises, for it would be the same with every picture.
    """
    one = partial(_one, endpoint, read, partial(retry, tries=_TRIES, first=0.5, notify=notify, sleep=sleep))
    with ThreadPoolExecutor(at_once) as pool:
        try:
            yield from run(one, pictures, pool, 2 * at_once)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


Retry = Callable[[Callable[[], bytes]], bytes]


def _one(endpoint: EndpointInfo, read: Read, retry: Retry, name: str) -> Prediction | Unread:
    try:
        data = read(name)
        kind = content_type(data)
        _check_size(data, endpoint)
    except (Unusable, ValueError) as error:
        why = error.message if isinstance(error, Unusable) else str(error)
        return Unread(name, why.removeprefix(f"{name}: "))
    try:
        answer = retry(partial(_ask, endpoint.name, kind, data))
    except MtoolError as error:
        if _is_of_the_picture(error):
            return Unread(name, str(error))
        raise
    return prediction(name, read_answer(answer), endpoint.table, endpoint.multi_label)


def _check_size(data: bytes, endpoint: EndpointInfo) -> None:
    if len(data) > endpoint.largest:
        raise ValueError(
            f"expected at most {endpoint.largest:,} bytes, the endpoint's limit, found {len(data):,};"
            " shrink it (mtool convert --resize), or type mtool transform, for up to 100 MB"
        )


def _ask(name: str, kind: str, data: bytes) -> bytes:
    response = call_service(
        "sagemaker-runtime",
        "invoke_endpoint",
        {"EndpointName": name, "ContentType": kind, "Accept": "application/json", "Body": data},
    )
    try:
        answer: bytes = response["Body"].read()
    except Exception as error:  # botocore's or urllib3's: the connection broke off inside the answer
        raise Unreachable(f"{name}: the answer broke off ({error})", "check the network") from error
    return answer


# What SageMaker answers that is a matter of one picture.
_OF_ONE_PICTURE = ("ModelError", "413", "RequestEntityTooLargeException")


def _is_of_the_picture(error: MtoolError) -> bool:
    answered = getattr(error.__cause__, "response", {})
    code = str(answered.get("Error", {}).get("Code", ""))
    return code in _OF_ONE_PICTURE or answered.get("ResponseMetadata", {}).get("HTTPStatusCode") == 413
