"""Neighbours against plain NumPy, and how they vote."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from models.neighbours import bm25_units, find_neighbours, vote
from segue.trained_model import Neighbours

PLAYS = arrays(np.int8, (7, 9), elements=st.integers(0, 3))
ROWS = np.array([[1, 2, -1], [0, 2, 3], [0, -1, -1], [-1, -1, -1]], dtype=np.int32)
LIKENESS = np.array(
    [[0.9, 0.4, 0], [0.9, 0.5, 0.2], [0.4, 0, 0], [0, 0, 0]], dtype=np.float32
)
NEAR = Neighbours(ROWS, LIKENESS)


def likeness_by_hand(plays: np.ndarray) -> np.ndarray:
    """Return the likeness of each pair of tracks, 0 of a track to itself."""
    lengths = plays.sum(axis=1, keepdims=True)
    mean = lengths.mean() or 1.0
    tamed = (
        2.2
        * plays
        / np.where(plays > 0, plays + 1.2 * (0.25 + 0.75 * lengths / mean), 1.0)
    )
    norms = np.linalg.norm(tamed, axis=0)
    units = tamed / np.where(norms > 0, norms, 1.0)
    cosines = (units.T @ units).round(9)
    np.fill_diagonal(cosines, 0)
    return np.minimum(cosines, 1.0)


@given(PLAYS, st.integers(1, 8), st.integers(0, 8))
def test_they_are_those_of_plain_numpy(
    plays: np.ndarray, n_neighbours: int, first: int
) -> None:
    units = bm25_units(sparse.csr_array(plays))
    found = find_neighbours(units, n_neighbours, first)
    expected = likeness_by_hand(plays.astype(float))
    assert len(found.rows) == 9 - first
    for row, near, cosines in zip(
        range(first, 9), found.rows, found.likeness, strict=True
    ):
        order = np.lexsort((np.arange(9), -expected[row]))[:n_neighbours]
        order = order[expected[row][order] > 0]
        assert near.tolist()[: len(order)] == order.tolist()
        assert (near[len(order) :] == -1).all()
        assert (cosines[len(order) :] == 0).all()
        np.testing.assert_allclose(
            cosines[: len(order)], expected[row][order], atol=1e-6
        )


def test_votes_are_summed_and_a_skip_votes_against() -> None:
    heard = np.array([0, 1], dtype=np.int32)
    voting = vote(NEAR, heard, np.array([1.0, -0.5]))
    assert voting.rows.tolist() == [0, 1, 2, 3]
    expected = np.array([-0.45, 0.9, 0.4 - 0.25, -0.1]) / 1.5
    np.testing.assert_allclose(voting.votes, expected, atol=1e-6)
    wanted = np.array([3, 9, 1], dtype=np.int32)
    told = voting.for_rows(wanted)
    np.testing.assert_allclose(told, [expected[3], 0, expected[1]], atol=1e-6)
    assert voting.best(5, np.array([9], dtype=np.int32)).tolist() == [1, 2]
    assert voting.best(1, np.array([1], dtype=np.int32)).tolist() == [2]


def test_nobody_votes_for_who_has_heard_nothing() -> None:
    voting = vote(NEAR, np.empty(0, dtype=np.int32), np.empty(0))
    assert len(voting.rows) == len(voting.votes) == 0
    assert voting.for_rows(np.arange(3, dtype=np.int32)).tolist() == [0, 0, 0]


def test_the_speaker_is_who_says_most_for_it() -> None:
    heard = np.array([0, 1, 2], dtype=np.int32)
    wanted = np.array([2, 0, 3, 1], dtype=np.int32)
    said = vote(NEAR, heard, np.array([1.0, 1.0, 1.0])).speakers(wanted)
    assert said.tolist() == [1, 1, 1, 0]
    said = vote(NEAR, heard, np.array([1.0, 0.5, -1.0])).speakers(wanted)
    assert said.tolist() == [0, 1, 1, 0]
    alone = vote(NEAR, heard[2:], np.array([1.0])).speakers(wanted)
    assert alone.tolist() == [-1, 2, -1, -1]
