"""Which label attribute a manifest has, where it is not plain."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.survey import label_attribute
from manifest_tools.io.sources import HEAD, open_source

TYPE = "groundtruth/image-classification"


def chosen(folder: Path, lines: list[dict[str, Any]], requested: str | None = None) -> tuple[str, str]:
    path = folder / "a.manifest"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = label_attribute(open_source(str(path)), requested)
    return found.name, found.type


def line(number: int, **keys: Any) -> dict[str, Any]:
    return {"source-ref": f"s3://b/{number}.jpg"} | {key.replace("_", "-"): v for key, v in keys.items()}


@pytest.mark.parametrize("label", [0, "0", "1234567"])
def test_an_index_alone_beside_the_source_is_a_label(tmp_path: Path, label: Any) -> None:
    assert chosen(tmp_path, [line(1, kind=label), line(2)]) == ("kind", TYPE)
    assert chosen(tmp_path, [{"source": "text", "kind": label}]) == ("kind", TYPE.replace("image", "text"))


@pytest.mark.parametrize("label", [-1, 1.5, True, "RH", None, [0], {}, "123456789"])
def test_what_is_no_index_is_no_label_although_it_is_alone(tmp_path: Path, label: Any) -> None:
    with pytest.raises(BadData, match="no line has a label"):
        chosen(tmp_path, [line(1, kind=0), line(2, kind=label)])
    assert chosen(tmp_path, [line(1, kind=0), line(2, kind=label)], "kind") == ("kind", "")


def test_an_index_that_is_not_alone_is_a_label_where_it_is_requested(tmp_path: Path) -> None:
    lines = [line(1, kind=0, page=1), line(2, kind=1, page=2)]
    with pytest.raises(BadData, match="its lines have source-ref, kind, page; type --label-attribute NAME"):
        chosen(tmp_path, lines)
    assert chosen(tmp_path, lines, "page") == ("page", TYPE)


def test_metadata_of_something_else_is_no_label_and_no_advice(tmp_path: Path) -> None:
    extra = {"annotator_metadata": {"info": 1}}
    lines = [line(n, kind=0, kind_metadata={"type": TYPE}, **extra) for n in range(3)]
    assert chosen(tmp_path, lines) == ("kind", TYPE)
    with pytest.raises(Refused) as refused:
        chosen(tmp_path, lines, "annotator")
    assert "annotator (" not in str(refused.value)
    with pytest.raises(BadData, match="no line has a label; its lines have source-ref, annotator-metadata"):
        chosen(tmp_path, [line(1, **extra)])


def test_counts_in_a_refusal_are_of_the_whole_file(tmp_path: Path) -> None:
    one = line(1, a=0, a_metadata={"type": TYPE}, b=0, b_metadata={"type": TYPE})
    many = HEAD // len(json.dumps(one)) + 10
    with pytest.raises(Refused, match=rf"a \(image-classification, {many:,} of {many:,} lines\)"):
        chosen(tmp_path, [one] * many)
