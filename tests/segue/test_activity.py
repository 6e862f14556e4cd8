"""Sums of spans against sums of what happened in them."""

from collections import Counter, defaultdict
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.activity import (
    COUNTS,
    MOST_KEYS,
    N_SHARES,
    SHARES,
    Cells,
    Kind,
    Level,
    added,
    cells_of,
    code_of,
    documents,
    empty,
)
from segue.packed import Packed
from segue.sketches import STANDARD_ERROR, n_listeners, sketch_of, union_of

_AT = datetime(2026, 5, 3, 22, 10, 7, tzinfo=UTC)
_SPANS = st.lists(
    st.dictionaries(
        st.text(max_size=3),
        st.tuples(st.integers(0, 9), st.sets(st.text(min_size=1, max_size=2))),
    ),
    max_size=4,
)


def span(told: dict[str, tuple[int, set[str]]]) -> Cells:
    """Return cells in which the n-th count of a key is n more than what was told."""
    keys = sorted(told, key=code_of)
    n = np.array([told[key][0] for key in keys], np.int64)
    columns = {name: n + place for place, name in enumerate(COUNTS)}
    columns |= {name: np.tile(n, (N_SHARES, 1)).T for name in SHARES}
    return Cells(
        np.array([code_of(key) for key in keys], np.int64),
        columns,
        Packed.of(key.encode() for key in keys),
        Packed.of(sketch_of(told[key][1]) for key in keys),
    )


@given(_SPANS)
def test_a_sum_has_the_counts_and_listeners_of_its_spans(
    spans: list[dict[str, tuple[int, set[str]]]],
) -> None:
    total = added([span(each) for each in spans])
    n, n_spans, who = Counter[str](), Counter[str](), defaultdict[str, set[str]](set)
    for each in spans:
        for key, (count, listeners) in each.items():
            n[key] += count
            n_spans[key] += 1
            who[key] |= listeners
    assert total.keys is not None
    assert total.listeners is not None
    keys = [key.decode() for key in total.keys]
    assert sorted(keys) == sorted(who)
    assert total.codes.tolist() == sorted(map(code_of, who))
    for row, key in enumerate(keys):
        for place, name in enumerate(COUNTS):
            assert total.columns[name][row] == n[key] + place * n_spans[key]
        for name in SHARES:
            assert total.columns[name][row].tolist() == [n[key]] * N_SHARES
        assert n_listeners([total.listeners[row]]) == len(who[key])


def test_a_union_counts_within_the_error_that_is_stated() -> None:
    parts = [range(n * 10_000, n * 10_000 + 20_000) for n in range(10)]
    united = union_of(sketch_of(map(str, part)) for part in parts)
    n_true = 110_000
    assert abs(n_listeners([united]) / n_true - 1) < 3 * STANDARD_ERROR
    assert 0.01 < STANDARD_ERROR < 0.02


@pytest.mark.parametrize("n_keys", [0, 3, MOST_KEYS + 5])
def test_what_is_stored_is_what_is_read(n_keys: int) -> None:
    cells = span({f"t{n}": (n, {f"u{n % 7}"}) for n in range(n_keys)})
    stored = [*documents(Level.HOUR, _AT, Kind.TRACK, cells, {"updated_at": _AT})]
    assert len(stored) == (2 if n_keys > MOST_KEYS else 1)
    assert stored[0]["_id"] == "hour|2026-05-03T22:10:07.000Z|track|0"
    read = added([cells_of(each) for each in stored])
    assert read.codes.tolist() == cells.codes.tolist()
    assert read.keys is not None
    assert cells.keys is not None
    assert [*read.keys] == [*cells.keys]
    assert [*(read.listeners or ())] == [*(cells.listeners or ())]
    for name, column in cells.columns.items():
        assert read.columns[name].tolist() == column.tolist()


def test_what_was_not_read_is_not_there() -> None:
    cells = span({"a": (1, {"u"}), "b": (2, {"u"})})
    (stored,) = documents(Level.DAY, _AT, Kind.ARTIST, cells, {})
    some = {name: stored[name] for name in ("codes", "n_completed")}
    total = added([cells_of(some), cells_of(stored)])
    assert total.columns.keys() == {"n_completed"}
    assert total.keys is None
    assert total.listeners is None


def test_nothing_adds_nothing() -> None:
    assert len(empty()) == 0
    assert added([empty(), span({"a": (1, set())})]).n_plays.tolist() == [1 + 2 + 3 + 3]


@pytest.mark.parametrize(
    ("level", "start", "end"),
    [
        (Level.MINUTE, "2026-05-03T22:10", "2026-05-03T22:11"),
        (Level.HOUR, "2026-05-03T22:00", "2026-05-03T23:00"),
        (Level.DAY, "2026-05-03T00:00", "2026-05-04T00:00"),
        (Level.MONTH, "2026-05-01T00:00", "2026-06-01T00:00"),
    ],
)
def test_a_time_lies_in_one_span(level: Level, start: str, end: str) -> None:
    found = level.start_of(_AT)
    assert found == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert level.end_of(found) == datetime.fromisoformat(end).replace(tzinfo=UTC)
