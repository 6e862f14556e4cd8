"""What a list of recommendations shows: view records in, components out."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from dashboard import ids, rows
from dashboard.changes import change_text, delay_text
from dashboard.marks import marks
from dashboard.reasons import text_of
from dashboard.records import ForYou, ListChange, Movement, TrackCard
from segue.clock import rfc3339


def for_you_properties(
    for_you: ForYou, moved: Mapping[str, Movement]
) -> dict[str, dict[str, Any]]:
    """Return the properties of each component of the list."""
    newest, change = for_you.newest_event_at, change_text(for_you.change)
    return {
        ids.FOR_YOU: {
            "children": rows.listed_rows(for_you, moved) or [_no_tracks()],
            "data-list-id": for_you.list_id,
            "data-updated-at": "" if newest is None else rfc3339(newest),
            "data-made": _made(for_you),
        },
        ids.FOR_YOU_NOTE: {"children": _note(for_you)},
        ids.FOR_YOU_FACTS: {"children": _facts(for_you)},
        ids.FOR_YOU_CHANGE: {"children": change},
        ids.FOR_YOU_CHANGED: {"hidden": not change},
        ids.FOR_YOU_CHANGED_TRACKS: {"children": _changed(for_you.change)},
    }


def _note(for_you: ForYou) -> str:
    if not for_you.is_fallback or not for_you.tracks:
        return ""
    return "Play something — this list will follow."


def _facts(for_you: ForYou) -> list[Any]:
    if for_you.changed_at is None:
        start = "One track of each style to start with" if for_you.tracks else ""
        return [html.Span(start, className="fresh")]
    updated = rfc3339(for_you.changed_at)
    facts: list[Any] = [
        html.Span(className="pulse"),
        "Updated ",
        html.Time(dateTime=updated, **marks(data_since=updated)),
    ]
    delay = delay_text(for_you.change, for_you.changed_at)
    return [*facts, ", ", *rows.spoken(delay)] if delay else facts


def _made(for_you: ForYou) -> str:
    """Return by what the list was made, and how soon."""
    if for_you.is_fallback:
        return ""
    model = for_you.model_version
    by = [
        f"Track index {for_you.index_version}" if for_you.index_version else "",
        f"model {model}" if model else "no model of other listeners",
        text_of(delay_text(for_you.change, for_you.changed_at)),
    ]
    return ", ".join(filter(None, by))


def _changed(change: ListChange | None) -> list[Any]:
    if change is None:
        return []
    return [
        *_named("Left", change.left, change.n_left),
        *_named("Came", change.came, change.n_came),
    ]


def _named(word: str, cards: Sequence[TrackCard], n: int) -> list[Any]:
    if not n:
        return []
    named: list[Any] = [
        html.Li([rows.way_to_track(card), f" by {card.artist}"]) for card in cards
    ]
    if n > len(cards):
        named.append(html.Li(f"{n - len(cards)} no longer in the library"))
    return [html.Dt(word), html.Dd(html.Ul(named))]


def _no_tracks() -> html.Li:
    return rows.empty_row(
        "No music yet", "Add some with “segue library scan DIR”; it will show up here."
    )
