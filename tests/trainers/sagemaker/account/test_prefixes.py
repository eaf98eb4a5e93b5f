import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, InvalidLine, MtoolError, Refused
from manifest_tools.io.sources import Block
from tests.trainers.sagemaker.iam import allows
from trainers.sagemaker.account.policy import Needs, role_policy
from trainers.sagemaker.account.prefixes import MOST, Folders, _objects, prefixes, with_typed

names = st.sampled_from(["a", "b", "left", "2024", "x*", "$", "{", "", "?.", "é", "снимок", "😀", "[0]"])
keys = st.lists(names, min_size=1, max_size=5).map("/".join)


@given(st.lists(keys, min_size=1, max_size=40), st.integers(1, 9))
def test_folders_add_up_to_the_same_by_whatever_parts(found: list[str], size: int) -> None:
    folders = [key[: key.rfind("/") + 1] for key in found]
    whole = Folders(names=set(folders))
    whole.limit()
    parts = Folders()
    for start in range(0, len(folders), size):
        part = Folders(names=set(folders[start : start + size]))
        part.limit()
        parts.merge(part)
    assert parts.prefixes() == whole.prefixes()
    assert 1 <= len(whole.prefixes()) <= MOST
    assert all(any(key.startswith(prefix) for prefix in whole.prefixes()) for key in found)


@given(st.lists(keys, min_size=1, max_size=20))
def test_every_object_of_a_manifest_may_be_read_and_no_other_bucket_s(found: list[str]) -> None:
    lines = b"".join(json.dumps({"source-ref": f"s3://lab3-rawdata/{key}"}).encode() + b"\n" for key in found)
    part = _objects(Block("", 0, len(lines), lines))
    pictures = {bucket: folders.prefixes() for bucket, folders in part.buckets.items()}
    role = role_policy(Needs(region="us-east-1", pictures=pictures, output="s3://lab3-models/"))
    for key in found:
        assert allows(role, "s3:GetObject", f"arn:aws:s3:::lab3-rawdata/{key}")
        assert not allows(role, "s3:GetObject", f"arn:aws:s3:::lab3-rawdata2/{key}")


class TestPrefixes:
    def write(self, *lines: object) -> list[str]:
        Path("a.manifest").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
        return ["a.manifest"]

    def test_pictures_and_masks_are_found_by_bucket(self, in_folder: Path) -> None:
        names = self.write(
            {"source-ref": "s3://raw-data/left/1.jpg", "mask-ref": "s3://lab3-out/masks/1.png", "kind": 0},
            {"source-ref": "s3://raw-data/right/2.jpg", "kind-metadata": {"x-ref": "s3://no/where"}},
        )
        assert prefixes(names) == {"lab3-out": ("masks/",), "raw-data": ("left/", "right/")}

    def test_escapes_are_read_as_what_they_mean(self, in_folder: Path) -> None:
        Path("a.manifest").write_text('{"source\\u002dref": "s3:\\/\\/raw-data\\/left\\u002F1.jpg"}\n')
        assert prefixes(["a.manifest"]) == {"raw-data": ("left/",)}

    def test_many_folders_become_few(self, in_folder: Path) -> None:
        names = self.write(*({"source-ref": f"s3://raw-data/day/{n}/{n}.jpg"} for n in range(400)))
        assert prefixes(names) == {"raw-data": ("day/",)}

    def test_what_was_typed_goes_with_it(self) -> None:
        assert with_typed(["s3://raw-data/left/"], {"raw-data": ["right/"], "other": [""]}) == {
            "other": ("",),
            "raw-data": ("left/", "right/"),
        }

    def test_any_number_of_workers_finds_the_same(self, in_folder: Path) -> None:
        pad = "x" * 999_000
        names = self.write(*({"source-ref": f"s3://raw-data/{n}/1.jpg", "pad": pad} for n in range(10)))
        assert prefixes(names, jobs=2) == prefixes(names, jobs=1) == {"raw-data": ("",)}

    @pytest.mark.parametrize(
        ("line", "error", "words"),
        [
            pytest.param('{"source": "a text"}', BadData, "expected s3:// URIs", id="texts"),
            pytest.param("{no", InvalidLine, "a.manifest:1: not JSON", id="no JSON"),
            pytest.param("7", InvalidLine, "a.manifest:1: expected object", id="no object"),
            pytest.param(
                '{"source-ref": "s3://lab#-raw/1.jpg"}', Refused, "rewrite --lab", id="a placeholder"
            ),
            pytest.param('{"source-ref": "s3://*/1.jpg"}', Refused, "no bucket is called", id="a star"),
        ],
    )
    def test_what_names_no_bucket_is_said(
        self, in_folder: Path, line: str, error: type[MtoolError], words: str
    ) -> None:
        Path("a.manifest").write_text(f"{{}}\n{line}\n" if error is BadData else f"{line}\n")
        with pytest.raises(error) as raised:
            prefixes(["a.manifest"])
        assert words in str(raised.value)
