import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.groundtruth.examples import one_attribute
from manifest_tools.io.sources import Source
from manifest_tools.verbs.look.choose import choose
from manifest_tools.verbs.look.groups import repeated
from manifest_tools.verbs.look.index import Index, Vocabulary, read_index
from tests.ground_truth import NAMES, UNLABELLED, line

lines = st.lists(
    st.builds(line, st.integers(0, 9), st.integers(0, 4), st.sampled_from([None, 0, 0.3, 0.9]))
    | st.just(UNLABELLED),
    max_size=30,
)
files = st.lists(lines, min_size=1, max_size=3)


def index_of(written: list[bytes], folder: Path, words: Vocabulary | None = None, name: str = "a") -> Index:
    path = folder / f"{name}.manifest"
    path.write_bytes(b"".join(one + b"\n" for one in written))
    source = Source(path.name, str(path), path.stat().st_size)
    return read_index(source, None, Vocabulary() if words is None else words, 1)


def indices_of(written: list[list[bytes]], folder: Path) -> list[Index]:
    words = Vocabulary()
    return [index_of(one, folder, words, str(at)) for at, one in enumerate(written)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("look")


@given(files, st.integers(0, 40), st.data())
def test_as_many_lines_as_there_is_place_for_each_once(
    folder: Path, written: list[list[bytes]], count: int, data: st.DataObject
) -> None:
    indices = indices_of(written, folder)
    wrong = [data.draw(st.sets(st.integers(1, 30), max_size=9)) for _ in written]
    chosen = choose(indices, count, wrong)
    assert len(chosen) == len(set(chosen)) == min(count, sum(map(len, written)))
    assert all(at < len(written[part]) for part, at in chosen)


@given(files, st.integers(1, 40), st.data())
def test_problems_come_first_and_doubtful_lines_after_them(
    folder: Path, written: list[list[bytes]], count: int, data: st.DataObject
) -> None:
    indices = indices_of(written, folder)
    wrong = [data.draw(st.sets(st.integers(1, 30), max_size=9)) for _ in written]

    def rank(place: tuple[int, int]) -> int:
        part, at = place
        if int(indices[part].lines["number"][at]) in wrong[part]:
            return 0
        return 1 if 0 < indices[part].lines["confidence"][at] < 0.7 else 2

    ranks = list(map(rank, choose(indices, count, wrong)))
    assert ranks == sorted(ranks)


def test_a_rare_class_has_as_many_places_as_a_common_one(folder: Path) -> None:
    written = [line(n, 0) for n in range(1000)] + [line(n, 1) for n in range(2000, 2020)] + [line(9999, 2)]
    index = index_of(written, folder)
    shown = Counter(json.loads(index.read(at))["kind"] for _, at in choose([index], 41, [()]))
    assert shown == {0: 20, 1: 20, 2: 1}


def test_neither_problems_nor_doubtful_lines_take_all_the_places(folder: Path) -> None:
    index = index_of([line(n, 0, 0.3 if n % 3 == 1 else 0.9) for n in range(900)], folder)
    chosen = [at for _, at in choose([index], 30, [range(1, 901, 3)])]
    kinds = Counter(at % 3 for at in chosen)  # 0 has a problem, 1 is doubtful
    assert kinds[0] >= 10 and kinds[1] >= 10 and kinds[2] >= 1


@given(files)
def test_a_picture_that_is_on_several_lines_is_found_and_so_is_a_conflict(
    folder: Path, written: list[list[bytes]]
) -> None:
    seen: dict[str, list[tuple[int, Any]]] = {}
    for part, one in enumerate(written):
        for text in one:
            value = json.loads(text)
            seen.setdefault(value["source-ref"], []).append((part, value.get("kind")))
    several = {ref: found for ref, found in seen.items() if len(found) > 1}
    conflicts = {ref for ref, found in several.items() if len({label for _, label in found} - {None}) > 1}
    across = {ref for ref, found in several.items() if len({part for part, _ in found}) > 1}
    found = repeated(indices_of(written, folder))
    assert (found.conflicts, found.duplicates) == (len(conflicts), len(several) - len(conflicts))
    assert found.across == len(across)
    assert sum(one.conflicts for one in found.shown) == len(conflicts)


def test_classes_under_different_attributes_contradict_nothing(tmp_path: Path) -> None:
    words = Vocabulary()

    def of_attribute(attribute: str, classes: tuple[int, int]) -> Index:
        path = tmp_path / f"{attribute}-{classes}.manifest"
        written = [line(n, one).replace(b'"kind', b'"' + attribute.encode()) for n, one in enumerate(classes)]
        path.write_bytes(b"".join(one + b"\n" for one in written))
        source = Source(path.name, str(path), path.stat().st_size)
        return read_index(source, one_attribute(source, attribute, 1), words, 1)

    boxes, masks, again = (
        of_attribute("box", (0, 1)),
        of_attribute("mask", (2, 2)),
        of_attribute("box", (1, 1)),
    )
    assert repeated([boxes, masks]).conflicts == 0
    assert repeated([boxes, masks]).duplicates == 2
    assert repeated([boxes, masks, again]).conflicts == 1


@given(lines)
def test_the_index_reads_each_line_again_as_it_stands(folder: Path, written: list[bytes]) -> None:
    words = Vocabulary()
    index = index_of(written, folder, words)
    sets, names = list(words.sets), list(words.classes)
    for at, text in enumerate(written):
        value = json.loads(text)
        assert index.read(at) == text + b"\n"
        expected = [NAMES[value["kind"]]] if "kind" in value else []
        assert [names[number] for number in sets[index.lines["set"][at]]] == expected


def test_blank_lines_are_counted_and_not_shown(folder: Path) -> None:
    index = index_of([b"", line(1), b" ", line(2, 1)], folder)
    assert index.lines["number"].tolist() == [2, 4]


def test_lines_with_several_labels_have_the_classes_of_all(sample: Path) -> None:
    path = sample / "good" / "chained-two-attributes.manifest"
    words = Vocabulary()
    index = read_index(Source(path.name, str(path), path.stat().st_size), None, words, 1)
    sets = list(words.sets)
    assert [len(sets[number]) for number in index.lines["set"]] == [2, 2, 1]
