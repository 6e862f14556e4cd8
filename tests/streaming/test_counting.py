"""Columns of counts against a count of one event after the other."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from segue.activity import COUNTS, N_SHARES, SHARES, Cells, Kind, Level, code_of
from segue.events import Action
from segue.sketches import n_listeners
from streaming.counting import COLUMNS, Facts, count_spans
from streaming.schemas import EVENT_FIELDS, OTHER_FIELDS

_DAY = datetime(2026, 5, 3, tzinfo=UTC)
_SCHEMA = to_arrow_schema(StructType([*EVENT_FIELDS, *OTHER_FIELDS]), timezone="UTC")
FACTS = {
    "t1": Facts("ann", ("folk", "rock", "folk")),
    "t2": Facts("ann", ()),
    "t3": Facts(None, ("rock",)),
    "t4": Facts("bo", ("rock", "jazz")),
}
Event = dict[str, Any]
_ODD: list[Any] = ["", None, 7, ["player"], {"a": "b"}, "x" * 65, "\u0000", "ü|🎵"]
_SOURCES = st.one_of(
    st.none(),
    st.sampled_from(["", "null", "[]", "7", "{", '"player"', "[" * 5_000, "\ufeff{}"]),
    st.fixed_dictionaries(
        {},
        optional={
            "surface": st.sampled_from(["player", "none", *_ODD]),
            "list_id": st.sampled_from(["ada@1", *_ODD]),
            "end": st.sampled_from(["closed", *_ODD]),
            "rank": st.sampled_from([1, 10**30, -0.5]),
        },
    ).map(json.dumps),
)
_MS = st.one_of(
    st.none(),
    st.integers(0, 200_000),
    st.sampled_from([0, 86_400_000, 2**62, 2**63 - 1]),
)
_EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": st.sampled_from(["ada", "bob", "cem", "dora"]),
            "track_id": st.sampled_from([*FACTS, "unknown"]),
            "action": st.sampled_from([each.value for each in Action]),
            "played_ms": _MS,
            "duration_ms": _MS,
            # some spans of each level
            "event_time": st.sampled_from(
                [0, 59_999, 60_000, 3_600_001, 86_399_999]
            ).map(lambda ms: _DAY + timedelta(milliseconds=ms)),
            "source": _SOURCES,
        }
    ),
    max_size=30,
)


def keys_of(event: Event, said: dict[str, Any]) -> Iterable[tuple[Kind, str]]:
    surface = said.get("surface")
    is_name = isinstance(surface, str) and 0 < len(surface) <= 64
    yield Kind.ALL, ""
    yield Kind.SURFACE, str(surface) if is_name else "none"
    yield Kind.TRACK, event["track_id"]
    facts = FACTS.get(event["track_id"], Facts(None, ()))
    if facts.artist_id:
        yield Kind.ARTIST, facts.artist_id
    for style in set(facts.genre_ids):
        yield Kind.STYLE, style


def said_in(source: str | None) -> dict[str, Any]:
    try:
        found = json.loads(source or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def has(said: dict[str, Any], name: str) -> bool:
    return isinstance(said.get(name), str) and bool(said[name])


def told_by(event: Event, said: dict[str, Any]) -> Counter[str] | None:
    """Return what one event adds to counts, by name; None for an event of no count."""
    action = event["action"]
    if action in ("started", "liked", "disliked"):
        return Counter({f"n_{action}": 1})
    if action == "progressed" and has(said, "end"):
        action = "left"
    if action not in ("completed", "skipped", "left"):
        return None
    heard_ms = min(event["played_ms"] or 0, 86_400_000)
    told = Counter({f"n_{action}": 1, "heard_ms": heard_ms})
    told["n_listed"] = int(has(said, "list_id"))
    if event["played_ms"] is not None and event["duration_ms"]:
        place = min(19, heard_ms * 20 // event["duration_ms"])
        told[f"ended_at {place}"] = 1
        if action == "skipped":
            told[f"skipped_at {place}"] = 1
    return told


def counted_one_by_one(
    events: list[Event], level: Level
) -> dict[tuple[datetime, Kind, str], tuple[Counter[str], set[str]]]:
    counts: dict[Any, Counter[str]] = defaultdict(Counter)
    listeners: dict[Any, set[str]] = defaultdict(set)
    for event in events:
        said = said_in(event["source"])
        told = told_by(event, said)
        if told is None:
            continue
        start = level.start_of(event["event_time"])
        for kind, key in keys_of(event, said):
            counts[start, kind, key].update(told)
            listeners[start, kind, key].add(event["user_id"])
    return {each: (counts[each], listeners[each]) for each in counts}


def by_key(start: datetime, kind: Kind, cells: Cells) -> dict[Any, Any]:
    assert cells.keys is not None
    assert cells.listeners is not None
    assert cells.codes.tolist() == sorted(cells.codes.tolist())
    found = {}
    for row, key in enumerate(bytes(each).decode() for each in cells.keys):
        assert cells.codes[row] == code_of(key)
        told = Counter({name: int(cells.columns[name][row]) for name in COUNTS})
        for name in SHARES:
            for place in range(N_SHARES):
                told[f"{name} {place}"] = int(cells.columns[name][row, place])
        n = n_listeners([cells.listeners[row]])
        found[start, kind, key] = (told, n)
    return found


def event(action: str, **more: Any) -> Event:
    told = {"user_id": "ada", "track_id": "t1", "played_ms": 30_000, "source": None}
    return told | {"action": action, "duration_ms": 60_000, "event_time": _DAY} | more


@pytest.mark.parametrize("level", [Level.MINUTE, Level.HOUR, Level.DAY])
@example([])
@example([event("progressed", source='{"end":"closed","surface":"player"}')])
@given(_EVENTS)
def test_columns_say_what_the_events_say_one_by_one(
    level: Level, events: list[Event]
) -> None:
    half = len(events) // 2
    # as files of an archive come: in chunks, each with a dictionary of its own
    table = pa.concat_tables(
        [pa.Table.from_pylist(some, _SCHEMA) for some in (events[:half], events[half:])]
    )
    found: dict[Any, Any] = {}
    for (start, kind), cells in count_spans(table, level, FACTS).items():
        found |= by_key(start, kind, cells)
    wanted = counted_one_by_one(events, level)
    assert {each: (+told, n) for each, (told, n) in found.items()} == {
        each: (+told, len(who)) for each, (told, who) in wanted.items()
    }


def test_only_what_is_counted_needs_to_be_read() -> None:
    table = pa.Table.from_pylist([event("completed")], _SCHEMA).select(COLUMNS)
    spans = count_spans(table, Level.DAY, {})
    assert {kind for _, kind in spans} == {Kind.ALL, Kind.SURFACE, Kind.TRACK}
