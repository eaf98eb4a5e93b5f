from pathlib import Path

import pytest

from manifest_tools.base.arguments import as_text, as_texts
from manifest_tools.base.errors import Refused


def test_a_path_may_be_a_text_or_a_path() -> None:
    assert (as_text("a.manifest"), as_text(Path("a.manifest"))) == ("a.manifest", "a.manifest")


def test_one_name_is_not_taken_for_its_letters() -> None:
    assert as_texts("RH") == ("RH",)
    assert as_texts([Path("a"), "b"]) == ("a", "b")
    assert (as_texts(None), as_texts([])) == ((), ())


def test_a_uri_that_pathlib_has_shortened_is_refused() -> None:
    with pytest.raises(Refused, match=r"s3:/b/key: expected an s3:// URI as a str"):
        as_text(Path("s3://b/key"))
