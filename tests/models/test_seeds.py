"""Which tracks stand for what was heard."""

import numpy as np
import pytest

from models.evidence import evidence_of
from models.listens import Listen
from models.seeds import seeds_of
from segue.track_index import create_track_index
from tests.factories import START, seconds

NAMES = ["folk", "jazz", "rock", "rock again"]
VECTORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], dtype=np.float32)
INDEX = create_track_index("v", NAMES, VECTORS)


def seeds(weights: list[tuple[str, float]], n: int = 3) -> list[tuple[str, float]]:
    """Return the seeds of listens of these weights, and their shares."""
    listens = [
        Listen(name, weight, START + seconds(number))
        for number, (name, weight) in enumerate(weights)
    ]
    return [(x.track_id, x.share) for x in seeds_of(evidence_of(listens, INDEX), n)]


def test_each_kind_has_its_seed_and_the_largest_comes_first() -> None:
    heard = [("folk", 2.0), ("rock", 5.0), ("jazz", 3.0), ("rock again", 0.5)]
    found = seeds(heard)
    assert [name for name, _ in found] == ["rock", "jazz", "folk"]
    assert [share for _, share in found] == pytest.approx(
        [5.5 / 10.5, 3 / 10.5, 2 / 10.5]
    )
    assert [name for name, _ in seeds(heard, 2)] == ["rock", "jazz"]


def test_who_stands_for_little_does_not_vote() -> None:
    assert [x for x, _ in seeds([("rock", 0.86), ("folk", 0.14)])] == ["rock"]
    assert [x for x, _ in seeds([("rock", 0.84), ("folk", 0.16)])] == ["rock", "folk"]


def test_only_the_64_heaviest_listens_count() -> None:
    heard = [("rock", 1.0)] * 64 + [("folk", 0.9)] * 40
    ((name, share),) = seeds(heard)
    assert name == "rock"
    assert share == pytest.approx(1.0)


def test_skips_and_nothing_give_no_seed() -> None:
    assert seeds([("rock", -1.0)]) == seeds([]) == seeds([("rock", 1.0)], 0) == []
