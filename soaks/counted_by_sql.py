"""What `activity` has to say, by SQL over the archive's files; and what it says."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa
from pymongo.database import Database

from segue import store
from segue.activity import COUNTS, N_SHARES, SHARES, Kind, Level, added, cells_of
from segue.sketches import STANDARD_ERROR, n_listeners
from streaming.activity_spans import counted_level

# a sketch counts few listeners exactly
_EXACT: Final = 100
_NAMES: Final = [*COUNTS, *(f"{name}_{n}" for name in SHARES for n in range(N_SHARES))]
_EVENTS: Final = """
    create table told as
    select user_id, track_id, action,
           case when played_ms > 86400000 then 86400000 else played_ms end as heard_ms,
           duration_ms, make_timestamp(epoch_us(event_time)) as said_at,
           case when json_type(source, '$.surface') = 'VARCHAR'
                 and length(source->>'$.surface') between 1 and 64
                then source->>'$.surface' else 'none' end as surface,
           coalesce(json_type(source, '$.list_id') = 'VARCHAR'
                    and source->>'$.list_id' <> '', false) as has_list,
           coalesce(json_type(source, '$.end') = 'VARCHAR'
                    and source->>'$.end' <> '', false) as has_end
    from read_parquet(?);
    create table events as
    select *, action in ('completed', 'skipped', 'progressed') as is_end,
           case when heard_ms is not null and duration_ms > 0
                then least(19, heard_ms * 20 // duration_ms) end as twentieth
    from told
    where action in ('started', 'completed', 'skipped', 'liked', 'disliked')
       or action = 'progressed' and has_end;
"""
KEYED: Final = {
    Kind.ALL: "select '' as key, * from events",
    Kind.SURFACE: "select surface as key, * from events",
    Kind.TRACK: "select track_id as key, * from events",
    Kind.ARTIST: """
        select artist_id as key, events.* from events
        join tracks using (track_id) where artist_id <> ''""",
    Kind.STYLE: """
        select genre_id as key, events.* from events join (
            select track_id, unnest(list_distinct(genre_ids)) as genre_id from tracks
        ) using (track_id)""",
}
"""By kind: the events of each key."""


class Key(NamedTuple):
    """One key of one span."""

    level: Level
    start: datetime
    kind: Kind
    key: str


Counted = dict[Key, tuple[dict[str, int], int]]


def counts_by_sql(
    files: Iterable[Path], database: Database[store.Document], now: datetime
) -> Counted:
    """Return counts and number of listeners of each key of all spans that are kept."""
    with duckdb.connect() as duck:
        read_events(duck, files, database)
        found: Counted = {}
        for level in Level:
            for kind in Kind:
                found |= _counted(duck, level, kind, now)
        return found


def read_events(
    duck: Any, files: Iterable[Path], database: Database[store.Document]
) -> None:
    """Make the tables `events`, of what counts in the archive, and `tracks`."""
    rows = [
        (each["_id"], each.get("artist_id"), each.get("genre_ids", []))
        for each in database[store.TRACKS].find()
    ]
    ids, artists, styles = zip(*rows, strict=True) if rows else ((), (), ())
    tracks = pa.table(
        {
            "track_id": pa.array(ids, pa.string()),
            "artist_id": pa.array(artists, pa.string()),
            "genre_ids": pa.array(styles, pa.list_(pa.string())),
        }
    )
    duck.register("tracks", tracks)
    duck.execute(_EVENTS.split(";")[0], [[str(path) for path in files]])
    duck.execute(_EVENTS.split(";")[1])


def _counted(duck: Any, level: Level, kind: Kind, now: datetime) -> Counted:
    actions = [
        f"count(*) filter (where action = '{action}') as n_{name}"
        for name, action in (
            *((each, each) for each in ("started", "completed", "skipped")),
            *(("liked", "liked"), ("disliked", "disliked"), ("left", "progressed")),
        )
    ]
    shares = [
        f"count(*) filter (where {which} and twentieth = {n}) as {name}_{n}"
        for name, which in (("ended_at", "is_end"), ("skipped_at", "action='skipped'"))
        for n in range(N_SHARES)
    ]
    query = f"""
        select date_trunc('{level}', said_at) as start, key,
               count(distinct user_id) as n_listeners,
               count(*) filter (where is_end and has_list) as n_listed,
               coalesce(sum(heard_ms) filter (where is_end), 0)::bigint as heard_ms,
               {", ".join([*actions, *shares])}
        from ({KEYED[kind]}) group by all
    """  # noqa: S608 - of our own words
    duck.execute(query)
    names = [column[0] for column in duck.description]
    rows = [dict(zip(names, row, strict=True)) for row in duck.fetchall()]
    return {
        Key(level, row["start"].replace(tzinfo=UTC), kind, row["key"]): (
            {name: row[name] for name in _NAMES},
            row["n_listeners"],
        )
        for row in rows
        if is_kept(level, row["start"].date(), now)
    }


def is_kept(level: Level, day: date, now: datetime) -> bool:
    """Say whether a date has spans of this level."""
    levels = [*Level]
    return levels.index(level) >= levels.index(counted_level(day, now))


def counts_stored(database: Database[store.Document]) -> Counted:
    """Return what the documents of `activity` say."""
    spans: dict[tuple[Level, datetime, Kind], list[store.Document]] = {}
    for each in database[store.ACTIVITY].find():
        span = Level(each["level"]), each["start"], Kind(each["kind"])
        spans.setdefault(span, []).append(each)
    found: Counted = {}
    for (level, start, kind), parts in spans.items():
        cells = added([cells_of(each) for each in parts])
        for row, key in enumerate(cells.keys or ()):
            told = {name: int(cells.columns[name][row]) for name in COUNTS}
            for name in SHARES:
                for n, count in enumerate(cells.columns[name][row].tolist()):
                    told[f"{name}_{n}"] = count
            n_who = n_listeners([cells.listeners[row]] if cells.listeners else [])
            found[Key(level, start, kind, key.decode())] = ({**told}, n_who)
    return found


def differences(stored: Counted, wanted: Counted) -> list[tuple[Key, str]]:
    """Return what is not as it has to be: each count, and listeners as is stated."""
    wrong = [(each, "is not wanted") for each in stored.keys() - wanted.keys()]
    for each, (counts, n_who) in wanted.items():
        told, n_told = stored.get(each, ({}, 0))
        wrong += [
            (each, f"{name} is {told.get(name)}, want {n}")
            for name, n in counts.items()
            if n != told.get(name)
        ]
        allowed = 0 if n_who <= _EXACT else 3 * STANDARD_ERROR * n_who
        if abs(n_told - n_who) > allowed:
            wrong.append((each, f"{n_told} listeners, want {n_who}"))
    return sorted(wrong)
