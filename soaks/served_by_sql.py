"""What `served` has to say, by SQL over the lists that were shown and the events.

The events are what accepted messages say, the lists what `shown_lists` has of rows;
what it has of outcomes is not looked at.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa

from segue.activity import code_of
from segue.store import Document

_ROWS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("user_id", "list_id", "surface", "model")),
        ("shown_at", pa.timestamp("us")),
        ("track_id", pa.string()),
        ("rank", pa.int64()),
        ("part", pa.string()),
        *((name, pa.bool_()) for name in ("explored", "is_fresh")),
    ]
)
_EVENTS: Final = pa.schema(
    [(name, pa.string()) for name in ("user_id", "track_id", "action", "source")]
)
_PLAYS: Final = pa.schema(
    [("day", pa.timestamp("us")), ("track_id", pa.string()), ("code", pa.int64())]
)
_MADE: Final = """
    create table told as
    select user_id, track_id, action, source->>'$.list_id' as list_id
    from events
    where json_type(source, '$.list_id') = 'VARCHAR' and (
        action in ('started', 'completed', 'skipped')
        or action = 'progressed' and coalesce(source->>'$.end', '') <> ''
        and json_type(source, '$.end') = 'VARCHAR');
    create table judged as
    select r.*, date_trunc('hour', shown_at) as hour,
           date_trunc('day', shown_at) as day,
           count(t.track_id) > 0 as started,
           coalesce(bool_or(t.action = 'completed'), false) as completed,
           coalesce(bool_or(t.action = 'skipped'), false) as skipped,
           coalesce(bool_or(t.action = 'progressed'), false) as gone
    from rows r left join told t using (user_id, list_id, track_id)
    group by all;
    create table days as select distinct day from judged;
    create table played as
    select d.day, p.track_id, count(*) as n,
           row_number() over (
               partition by d.day order by count(*) desc, p.code) as place
    from days d join plays p on p.day >= d.day - interval 30 day and p.day < d.day
    group by d.day, p.track_id, p.code;
    create table of_days as
    select day, sum(n) as n_plays, ceil(0.01 * count(*)) as n_popular
    from played group by day;
    create table shown as
    select j.*, o.n_plays is not null as is_judged,
           coalesce(p.place <= o.n_popular, false) as is_popular,
           -log2((coalesce(p.n, 0) + 1) / (o.n_plays + $n_catalogue)) as bits
    from judged j left join of_days o using (day)
    left join played p on p.day = j.day and p.track_id = j.track_id;
"""
_SUMS: Final = """
    count(distinct (user_id, list_id)) as n_lists,
    count(distinct (user_id, list_id)) filter (where started) as n_lists_hit,
    count(*) as n_rows,
    count(*) filter (where started) as n_started,
    count(*) filter (where completed) as n_completed,
    count(*) filter (where skipped) as n_skipped,
    count(*) filter (where gone) as n_left,
    count(*) filter (where is_fresh) as n_fresh,
    count(*) filter (where is_judged) as n_judged,
    count(*) filter (where is_judged and is_popular) as n_popular,
    coalesce(sum(bits) filter (where is_judged), 0) as novelty_bits,
    count(distinct track_id) as n_tracks
"""


class ServedSql:
    """Answers questions about lists and events by SQL.

    Parameters
    ----------
    lists : iterable of mapping
        Documents of `shown_lists`.
    events : iterable of mapping
        With `user_id`, `track_id`, `action` and `source`.
    plays : iterable of tuple
        Midnight and track of each play that ended.
    n_catalogue : int
        Tracks of the catalogue.
    """

    def __init__(
        self,
        lists: Iterable[Mapping[str, Any]],
        events: Iterable[Mapping[str, Any]],
        plays: Iterable[tuple[Any, str]],
        n_catalogue: int,
    ) -> None:
        self._duck = duckdb.connect()
        self._duck.execute("set timezone = 'UTC'")
        tables = {
            "rows": pa.Table.from_pylist([*_rows(lists)], _ROWS),
            "events": pa.Table.from_pylist([*map(_event, events)], _EVENTS),
            "plays": pa.Table.from_pylist(
                [
                    {"day": day.replace(tzinfo=None), "track_id": t, "code": code_of(t)}
                    for day, t in plays
                ],
                _PLAYS,
            ),
        }
        for name, table in tables.items():
            self._duck.register(name, table)
        for statement in _MADE.replace("$n_catalogue", str(n_catalogue)).split(";")[
            :-1
        ]:
            self._duck.execute(statement)

    def sums(self, by: Sequence[str] = (), where: str = "true") -> list[Document]:
        """Return all counts, by some columns, of the rows that a condition chooses."""
        named = "".join(f"{name}, " for name in by)
        query = f"select {named} {_SUMS} from shown where {where} group by all"  # noqa: S608
        self._duck.execute(query)
        names = [column[0] for column in self._duck.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self._duck.fetchall()]


def _rows(lists: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for each in lists:
        named = {name: each[name] for name in ("user_id", "list_id", "surface")}
        at = each["shown_at"].replace(tzinfo=None)
        more = {"model": each["model_version"] or "", "shown_at": at}
        for row in each["rows"]:
            yield {**named, **more, **row}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    told = event["source"]
    source = told if told is None or isinstance(told, str) else json.dumps(told)
    return {
        **{name: event[name] for name in ("user_id", "track_id")},
        "action": str(event["action"]),
        "source": source,
    }
