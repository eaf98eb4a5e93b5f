import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from manifest_tools.images.run_lengths import mask_of, runs_from, runs_of, text_of

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


@given(masks)
def test_a_mask_is_the_same_again(mask: NDArray[np.bool_]) -> None:
    size = mask.shape[0], mask.shape[1]
    assert np.array_equal(mask_of(runs_from(text_of(runs_of(mask))), size), mask)


@given(masks)
def test_pycocotools_writes_and_reads_the_same(mask: NDArray[np.bool_]) -> None:
    from pycocotools import mask as coco

    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert text_of(runs_of(mask)) == theirs["counts"].decode()
    ours = {"size": list(mask.shape), "counts": text_of(runs_of(mask))}
    assert np.array_equal(coco.decode(ours), mask)
    plain = coco.frPyObjects({"size": list(mask.shape), "counts": runs_of(mask)}, *mask.shape)
    assert plain["counts"] == theirs["counts"]


@given(st.lists(st.integers(0, 2**40), max_size=9))
def test_long_runs_are_the_same_again(runs: list[int]) -> None:
    assert runs_from(text_of(runs)) == runs


@given(st.text("0123OPo~é\0", max_size=9))
def test_any_text_is_runs_or_refused(text: str) -> None:
    try:
        assert all(isinstance(run, int) for run in runs_from(text))
    except ValueError as error:
        assert "expected compressed run lengths" in str(error)


@pytest.mark.parametrize(
    ("runs", "size", "message"),
    [
        pytest.param(
            [1], (10**6, 10**6), "at most 100,000,000 pixels, found 1,000,000 x 1,000,000", id="huge"
        ),
        pytest.param([1, 2], (2, 2), "expected runs of 4 pixels together, found 3", id="too few"),
        pytest.param([2**63, 2**63], (2, 2), "expected runs of 4 pixels", id="too many"),
        pytest.param([5, -1], (2, 2), "expected runs of 4 pixels", id="below zero"),
        pytest.param([1], (-1, -1), "at most", id="a size below zero"),
    ],
)
def test_runs_that_lie_about_the_size_are_refused(
    runs: list[int], size: tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        mask_of(runs, size)
