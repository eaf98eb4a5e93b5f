"""Tasks of Label Studio that are no text in UTF-8, wherever in them."""

from pathlib import Path

import pytest

from manifest_tools.base.errors import BadData
from manifest_tools.formats.label_studio import read
from manifest_tools.formats.protocol import ReadOptions

ANSWER = b'"annotations":[{"result":[]}]'
HOSTILE = {
    "in what the manifest said": b'{"data":{"image":"a.jpg","ground_truth":{"label_attribute":"\xff"}},@}',
    "in a key of what the manifest said": b'{"data":{"image":"a.jpg","ground_truth":{"\xcc":1}},@}',
    "in the name of the picture": b'{"data":{"image":"a\xff.jpg"},@}',
    "in what nobody asks for": b'{"data":{"image":"a.jpg","more":["\xff"]},@}',
    "in an answer of JSON-MIN": b'{"image":"a.jpg","id":1,"annotation_id":2,"kind":"\xff"}',
}


@pytest.mark.parametrize("task", HOSTILE.values(), ids=HOSTILE)
def test_a_task_that_is_not_utf8_is_named(tmp_path: Path, task: bytes) -> None:
    (tmp_path / "a.json").write_bytes(b"[" + task.replace(b"@", ANSWER) + b"]")
    with pytest.raises(BadData, match=r"a\.json: task 1: ") as caught:
        list(read(str(tmp_path / "a.json"), ReadOptions()).parts[""])
    assert "\n" not in str(caught.value)
