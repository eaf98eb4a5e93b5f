"""What the rules of several files say, and for which file, in the very words."""

from pathlib import Path

import pytest

from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.validate import validate

CASES = {
    "a class that only training has": (
        lines(single(0, "s3://b/1"), single(1, "s3://b/2", "LH")),
        lines(single(0, "s3://b/3")),
        "train.manifest: warning MT312 class 'LH' is on 1 line here and on none of validation.manifest,"
        " so that file cannot show whether a model has learnt it",
    ),
    "a class that only validation has": (
        lines(single(0, "s3://b/1")),
        lines(single(0, "s3://b/2"), *(single(1, f"s3://b/{n}", "LH") for n in range(3, 6))),
        "validation.manifest: warning MT312 class 'LH' is on 3 lines here and on none of train.manifest,"
        " so a model trained on that file cannot learn it",
    ),
    "two classes that only validation has": (
        lines(single(0, "s3://b/1")),
        lines(single(0, "s3://b/2"), *(single(n, f"s3://b/{n}", f"x{n}") for n in (3, 4))),
        "validation.manifest: warning MT312 the 2 classes 'x3', 'x4' are on 2 lines here and on none of"
        " train.manifest, so a model trained on that file cannot learn them",
    ),
    "a picture that both have": (
        lines(single(0, "s3://b/1"), single(0, "s3://b/2")),
        lines(single(0, "s3://b/2")),
        "validation.manifest:1: error MT313 1 picture of this file is in train.manifest too",
    ),
    "one index with two names": (
        lines(single(0, "s3://b/1"), single(1, "s3://b/2", "LH")),
        lines(single(0, "s3://b/3"), single(1, "s3://b/4", "left")),
        "validation.manifest:2: error MT311 class 1 is named 'left' here, but 'LH' in train.manifest",
    ),
    "a name that looks like another": (
        lines(single(0, "s3://b/1"), single(1, "s3://b/2", "caf\u00e9")),
        lines(single(0, "s3://b/3"), single(2, "s3://b/4", "cafe\u0301")),
        "validation.manifest:2: warning MT314 class 'cafe\\u0301' here looks like class 'caf\u00e9' in"
        " train.manifest: they are one text in two Unicode forms",
    ),
    "one name with two indices": (
        lines(single(0, "s3://b/1"), single(1, "s3://b/2", "LH")),
        lines(single(0, "s3://b/3"), single(2, "s3://b/4", "LH")),
        "validation.manifest:2: error MT311 'LH' is class 2 here, but class 1 in train.manifest",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_says_it_at_the_first_reading(in_folder: Path, name: str) -> None:
    train, validation, problem = CASES[name]
    Path("train.manifest").write_text(train)
    Path("validation.manifest").write_text(validation)
    found = [str(one) for one in validate("train.manifest", "validation.manifest")]
    assert [one for one in found if one.split(" ")[2] == problem.split(" ")[2]] == [problem]
