"""What each page shows at this moment: documents in, properties of components out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from dash import html
from plotly.io.json import to_json_plotly
from pymongo.asynchronous.database import AsyncDatabase

from dashboard import figures, ids, panels, queries, rows, stream_queries
from dashboard.live import ANALYTICS, FOR_YOU, Properties, View
from dashboard.marks import marks
from dashboard.movement import MovementLog
from dashboard.records import ForYou
from segue.clock import Clock, rfc3339
from segue.settings import Settings
from segue.store import Document

PAUSES_S: Final = {FOR_YOU: 0.1, ANALYTICS: 0.5}
"""Shortest time between two pushes of a page, in seconds."""
REFRESH_S: Final[Mapping[str, float | None]] = {FOR_YOU: None, ANALYTICS: 5.0}
"""Longest time between two: the analytics page shows time that passes."""
_BUSY: Final = timedelta(seconds=5)


class Views:
    """Renders views for the hub; remembers the last lists to show what moved."""

    def __init__(
        self, database: AsyncDatabase[Document], settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._log = MovementLog()

    async def render(self, view: View) -> Properties:
        """Return the properties of each component of `view` as JSON text."""
        if view.page == ANALYTICS:
            return as_text(await self._analytics())
        return as_text(await self._for_you(view.listener))

    async def _for_you(self, listener: str) -> dict[str, dict[str, Any]]:
        length = self._settings.taste.n_recommendations
        for_you = await queries.read_for_you(self._database, listener, length)
        moved = self._log.note(
            listener, [each.track.track_id for each in for_you.tracks]
        )
        return {
            ids.FOR_YOU: {
                "children": rows.listed_rows(for_you, moved) or [_no_tracks()],
                "data-list-id": for_you.list_id,
                "data-updated-at": _moment(for_you.newest_event_at),
            },
            ids.FOR_YOU_NOTE: {"children": _note(for_you)},
            ids.FOR_YOU_FACTS: {"children": _facts(for_you)},
            ids.LIBRARY_STAMP: {"data": await queries.read_n_tracks(self._database)},
        }

    async def _analytics(self) -> dict[str, dict[str, Any]]:
        now = self._clock()
        pane_s = self._settings.stream.pane_s
        activity = await stream_queries.read_activity(self._database, now, pane_s)
        health = await stream_queries.read_health(self._database, now)
        book = await stream_queries.read_ledger(self._database)
        busy = any(now - query.updated_at < _BUSY for query in health)
        return {
            ids.TILES: {"children": panels.tiles(activity, health)},
            ids.PLAYS_FIGURE: {"figure": figures.plays_figure(activity.minutes)},
            ids.PLAYS_TABLE: {"children": panels.plays_table(activity.minutes)},
            ids.BATCH_FIGURE: {"figure": figures.batch_figure(health)},
            ids.STREAM_TABLE: {"children": panels.stream_table(health)},
            ids.LEDGER: {"children": panels.ledger(book, busy)},
        }


def as_text(props: Mapping[str, Mapping[str, Any]]) -> Properties:
    """Return each component's properties as JSON text."""
    return {name: str(to_json_plotly(each)) for name, each in props.items()}


def _note(for_you: ForYou) -> str:
    if not for_you.is_fallback:
        return ""
    return "Play something — this list will follow."


def _facts(for_you: ForYou) -> list[Any]:
    if for_you.updated_at is None:
        return [html.Span("One track of each style to start with", className="fresh")]
    updated = rfc3339(for_you.updated_at)
    facts: list[Any] = [
        html.Span(className="pulse"),
        "Updated ",
        html.Time(dateTime=updated, **marks(data_since=updated)),
    ]
    delay_s = queries.seconds_between(for_you.newest_event_at, for_you.updated_at)
    if delay_s is not None:
        facts.append(f", {delay_s:.1f} s after the last action")
    return facts


def _moment(moment: Any) -> str:
    return "" if moment is None else rfc3339(moment)


def _no_tracks() -> html.Li:
    return rows.empty_row(
        "No music yet", "Add some with “segue library scan DIR”; it will show up here."
    )
