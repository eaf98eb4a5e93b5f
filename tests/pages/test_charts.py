import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.pages.charts import MOST, Bar, Bars, Table, in_series

counts = st.lists(
    st.dictionaries(st.text(max_size=4), st.integers(0, 10**9), max_size=9), min_size=1, max_size=4
)


@given(counts)
def test_every_count_of_every_file_is_in_its_series(files: list[dict[str, int]]) -> None:
    chart = in_series("x", files, [str(at) for at in range(len(files))])
    for at, one in enumerate(files):
        assert {bar.label: bar.counts[at] for bar in chart.bars if bar.counts[at]} == {
            name: count for name, count in one.items() if count
        }


@given(counts)
def test_the_longest_bar_fills_its_place_and_none_is_longer(files: list[dict[str, int]]) -> None:
    chart = in_series("x", files, [str(at) for at in range(len(files))])
    heights = [chart.height(bar, at) for bar in chart.bars for at in range(len(files))]
    assert all(0 <= height <= 1 for height in heights)
    assert max(heights, default=1) == (
        1 if any(map(any, (one.values() for one in files))) else max(heights, default=1)
    )


def test_with_totals_parts_of_different_sizes_can_be_compared() -> None:
    chart = in_series("x", [{"RH": 80}, {"RH": 20}], ["train", "validation"], totals=(160, 40))
    assert chart.height(chart.bars[0], 0) == chart.height(chart.bars[0], 1) == 1
    assert (chart.share(chart.bars[0], 0), chart.share(chart.bars[0], 1)) == ("50.0 %", "50.0 %")


def test_of_many_bars_the_rest_is_counted() -> None:
    chart = Bars("x", tuple(Bar(str(at), (at,)) for at in range(MOST + 7)))
    assert (len(chart.shown), chart.more) == (MOST, 7)


@pytest.mark.parametrize(("rows", "numeric"), [([], (True, True)), ([("a", 1), ("b", None)], (False, True))])
def test_a_column_of_numbers_is_known(rows: list[tuple[object, ...]], numeric: tuple[bool, ...]) -> None:
    assert Table(("name", "count"), rows).numeric == numeric
