"""The Dockerfile, as far as `make lint` does not judge it; `make docker-steps` does what it says."""

import fnmatch
import json
import shlex

import pytest

from tests.conftest import REPOSITORY
from tests.docker_steps import instructions

STEPS = instructions((REPOSITORY / "Dockerfile").read_text("utf-8"))
COPIED = [
    source
    for word, rest in STEPS
    if word == "COPY" and "--from" not in rest
    for source in shlex.split(rest)[:-1]
]
ALLOWED = [line for line in (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"]


def rest_of(word: str) -> list[str]:
    return [rest for found, rest in STEPS if found == word]


def test_every_stage_begins_with_the_same_python_that_we_support() -> None:
    (base,) = {rest.partition(" AS ")[0] for rest in rest_of("FROM")}
    assert fnmatch.fnmatch(base, "python:3.1[12]-slim-*")


def test_whoever_runs_it_is_nobody_and_types_words_of_mtool() -> None:
    uid, _, gid = rest_of("USER")[-1].partition(":")
    assert int(uid) > 0 and int(gid) > 0
    assert json.loads(rest_of("ENTRYPOINT")[-1]) == ["mtool"]
    assert STEPS[-2] == ("WORKDIR", "/data")


@pytest.mark.parametrize("source", COPIED)
def test_what_is_copied_is_there_and_not_ignored(source: str) -> None:
    assert (REPOSITORY / source).exists()
    assert f"!{source}" in ALLOWED


def test_nothing_else_is_sent_to_the_builder() -> None:
    assert sorted(ALLOWED) == sorted(f"!{source}" for source in COPIED)
