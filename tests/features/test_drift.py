from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from features.drift import MIN_TRACKS, block_shifts, newest_batch

HOUR = np.timedelta64(1, "h")
START = np.datetime64("2026-05-03T00:00:00", "us")


def times(*runs: int) -> NDArray[np.datetime64]:
    """Return times of runs of so many tracks, two hours apart."""
    parts: Iterator[NDArray[np.datetime64]] = (
        START + 2 * run * HOUR + np.arange(n) * np.timedelta64(1, "s")
        for run, n in enumerate(runs)
    )
    return np.concatenate(list(parts))


@pytest.mark.parametrize(
    ("runs", "n_newest"),
    [
        ((200,), None),
        ((100, 60, 40), 40),
        ((100, 20, 20), 40),
        ((100, 5), None),
    ],
    ids=["one run", "the last of three", "small runs count together", "too few"],
)
def test_the_newest_batch_is_the_last_runs(
    runs: tuple[int, ...], n_newest: int | None
) -> None:
    at = times(*runs)
    shuffled = np.random.default_rng(1).permutation(len(at))
    newest = newest_batch(at[shuffled])
    if n_newest is None:
        assert newest is None
    else:
        assert newest is not None
        assert newest.tolist() == (shuffled >= len(at) - n_newest).tolist()


def test_a_batch_needs_enough_others() -> None:
    assert newest_batch(times(MIN_TRACKS - 1, 200)) is None
    assert newest_batch(times(MIN_TRACKS, 200)) is not None


def test_chance_is_no_shift_and_a_moved_mean_is_one_of_its_size(
    rng: np.random.Generator,
) -> None:
    newest = np.arange(4000) >= 3900
    matrix = rng.normal(5.0, 3.0, size=(4000, 12)).astype(np.float32)
    moved = matrix + np.where(newest, 3.0, 0.0)[:, None].astype(np.float32)
    shifts = dict(block_shifts({"same": matrix, "moved": moved}, newest))
    assert shifts["same"] < 0.06
    assert shifts["moved"] == pytest.approx(1.0, abs=0.06)


def test_what_is_flat_or_no_number_has_no_shift(rng: np.random.Generator) -> None:
    newest = np.arange(100) >= 60
    flat = np.full((100, 2), 7.0, dtype=np.float32)
    broken = rng.normal(size=(100, 2)).astype(np.float32)
    broken[newest] = np.nan
    assert dict(block_shifts({"flat": flat, "broken": broken}, newest)) == {
        "flat": 0.0,
        "broken": 0.0,
    }
