"""What just happened, without who did it.

Panes are written about a second after an event, `listens` some ten seconds later, but
these alone tell of a surface, and of what was imported. So both are read, and of each
play the last word is shown.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from dash import html
from pymongo import DESCENDING

from dashboard import ids
from dashboard.analytics.answers import Answers
from dashboard.analytics.names import NO_SURFACE, Named, Names
from dashboard.analytics.questions import Question
from dashboard.marks import marks
from segue import store
from segue.activity import Kind
from segue.clock import rfc3339
from segue.events import Action

SHOWS: Final = frozenset({store.TASTE_WINDOWS, store.LISTENS})
N_EVENTS: Final = 20
_N_PANES: Final = 60
"""The newest that are looked at; with a filter as many as plays."""
_N_LISTENS: Final = 60
_N_FILTERED: Final = 500
_N_ENTRIES: Final = 10
"""The latest of a pane; a listener who does more in a moment is a machine."""
_SHOWN_CHARS: Final = 40
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_DAY_S: Final = 86_400
_LISTEN_FIELDS: Final = {
    **{"listened_at": 1, "action": 1, "track_id": 1},
    "source.surface": 1,
}
_PANE_FIELDS: Final = {"_id": 0, "user_id": 1, "entries": {"$slice": -_N_ENTRIES}}
_ENDS: Final = frozenset({Action.COMPLETED.value, Action.SKIPPED.value})
_OF_A_PLAY: Final = frozenset({Action.STARTED.value, Action.PROGRESSED.value, *_ENDS})
_WORDS: Final = {
    Action.STARTED.value: "was started",
    Action.COMPLETED.value: "heard to the end",
    Action.SKIPPED.value: "skipped",
    Action.PROGRESSED.value: "is heard",
    Action.LIKED.value: "liked",
    Action.DISLIKED.value: "disliked",
}


@dataclass(frozen=True, slots=True)
class Word:
    """What was said of a track last, in one play or by one reaction.

    Attributes
    ----------
    of : str
        Tells plays and reactions of all listeners apart; it is never shown.
    surface : str, optional
        None where it is not known yet.
    """

    of: str
    at: datetime
    action: str
    track_id: str
    surface: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """The last word on a play, of nobody in particular."""

    at: datetime
    action: str
    track: Named
    surface: str


async def read_shown(
    answers: Answers, question: Question, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the page shows of them."""
    return {ids.NOW_FEED: {"children": shown(await read(answers, question, now))}}


async def read(answers: Answers, question: Question, now: datetime) -> Sequence[Event]:
    """Read the newest events that fit the filters, among the last some hundred."""
    is_filtered = any(map(question.get, (Kind.SURFACE, Kind.STYLE, Kind.ARTIST)))
    heard, told, fits = await asyncio.gather(
        _heard(answers, now, _N_FILTERED if is_filtered else _N_LISTENS),
        _told(answers, now, _N_FILTERED if is_filtered else _N_PANES),
        _fitting(answers.names, question),
    )
    words = [word for word in last_words([*heard, *told]) if fits(word)][:N_EVENTS]
    named = await answers.names.of(Kind.TRACK, {word.track_id for word in words})
    return [
        Event(word.at, word.action, named[word.track_id], word.surface or NO_SURFACE)
        for word in words
    ]


def last_words(words: Iterable[Word]) -> list[Word]:
    """Return the last word of each play, the newest first.

    An end is the last word, whatever comes after it. The surface is that of any word.
    """
    last: dict[str, Word] = {}
    for word in words:
        before = last.get(word.of)
        if before is None:
            last[word.of] = word
            continue
        newest = max(before, word, key=lambda each: (each.action in _ENDS, each.at))
        surface = newest.surface or before.surface or word.surface
        last[word.of] = replace(newest, surface=surface)
    return sorted(last.values(), key=lambda each: each.at, reverse=True)


def shown(events: Sequence[Event]) -> html.Ol | html.P:
    """Return the events as a list."""
    if not events:
        return html.P("Nothing that fits was heard of late.")
    return html.Ol([_item(each) for each in events], className="feed")


async def _told(answers: Answers, now: datetime, n_panes: int) -> list[Word]:
    """Read what the panes say that were written last."""
    short = {"window_length_s": {"$lt": _DAY_S}}
    found = answers.database[store.TASTE_WINDOWS].find(short, _PANE_FIELDS)
    panes = await found.sort("updated_at", DESCENDING).limit(n_panes).to_list()
    latest = now + _CLOCKS_DIFFER
    return [word for pane in panes for word in _words_in(pane) if word.at <= latest]


def _words_in(pane: Mapping[str, Any]) -> Iterator[Word]:
    for entry in pane.get("entries", ()):
        action = entry.get("action")
        if action in _WORDS:
            of = entry["play_id" if action in _OF_A_PLAY else "event_id"]
            of = f"{pane['user_id']}|{of}"
            yield Word(of, entry["event_time"], action, entry["track_id"])


async def _heard(answers: Answers, now: datetime, n_listens: int) -> list[Word]:
    wanted = {"listened_at": {"$lte": now + _CLOCKS_DIFFER}}
    found = answers.database[store.LISTENS].find(wanted, _LISTEN_FIELDS)
    rows = await found.sort("listened_at", DESCENDING).limit(n_listens).to_list()
    return [
        Word(
            row["_id"],
            row["listened_at"],
            row["action"],
            row["track_id"],
            _surface_of(row),
        )
        for row in rows
    ]


async def _fitting(names: Names, question: Question) -> Callable[[Word], bool]:
    surface = question.get(Kind.SURFACE)
    tracks = await names.tracks_in(question.get(Kind.STYLE), question.get(Kind.ARTIST))

    def fits(word: Word) -> bool:
        if surface and word.surface != surface:
            return False
        return tracks is None or word.track_id in tracks

    return fits


def _surface_of(row: Mapping[str, Any]) -> str:
    return str((row.get("source") or {}).get("surface") or NO_SURFACE)


def _item(event: Event) -> html.Li:
    at = rfc3339(event.at)
    words = f" {_WORDS.get(event.action, event.action)}"
    where = "" if event.surface == NO_SURFACE else f" · {event.surface[:_SHOWN_CHARS]}"
    return html.Li(
        [
            html.Span([html.B(event.track.name), words]),
            html.Span(
                [html.Time(dateTime=at, **marks(data_since=at)), where],
                className="by",
            ),
        ]
    )
