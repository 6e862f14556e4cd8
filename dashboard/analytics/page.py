"""The analysts' pages: which there are, and the frame around each."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from dash import html

from dashboard import ids
from dashboard.analytics import (
    audio,
    feed,
    listeners,
    map_choice,
    map_controls,
    now,
    quality,
    quality_body,
    stream,
    taste_map,
    tracks,
    trajectory,
)
from dashboard.analytics.answers import Answers
from dashboard.analytics.controls import tabs
from dashboard.analytics.questions import Question
from dashboard.marks import marks
from dashboard.pages.shelves import nothing_there
from segue.roles import Identity, Role

Shown = Mapping[str, Mapping[str, Any]]
"""Properties of components, by their ids."""
Read = Callable[[Answers, Question, datetime], Awaitable[Shown]]
Choose = Callable[[Answers, Question, datetime], Awaitable[list[Any]]]
ROOT: Final = "/analytics"


class Beside(NamedTuple):
    """What moves on a page by itself, beside the answer.

    Attributes
    ----------
    asks : bool
        Whether it answers the question, so that there is none to a wrong one.
    role : Role
        Who may see it.
    body : callable, optional
        Returns its parts, where these stand below those of the page.
    instead : str
        What others read in their place.
    """

    live: str
    read: Read
    shows: frozenset[str]
    pause_s: float
    refresh_s: float | None = None
    asks: bool = True
    role: Role = Role.ANALYST
    body: Callable[[], list[Any]] | None = None
    instead: str = ""


class AnalystPage(NamedTuple):
    """One page of the analysts.

    Attributes
    ----------
    key : str
        What follows in its address, "" for the first page.
    body : callable
        Returns its parts, which are empty at first.
    choose, read : callable, optional
        Return what may be chosen, and the answer to the question in its address; None
        for a page without a question, whose view is registered elsewhere.
    shows : frozenset of str
        Collections whose changes make it read again.
    pause_s, refresh_s : float
        Shortest and longest time between two readings.
    preset : str
        Time that it shows where its address tells none.
    beside : sequence of Beside
        Views of the same question that are read apart.
    head : callable, optional
        Returns what stands above the question, whatever that is.
    filters : frozenset of str
        By what it can be chosen.
    """

    key: str
    title: str
    body: Callable[[], list[Any]]
    choose: Choose | None = None
    read: Read | None = None
    shows: frozenset[str] = frozenset()
    pause_s: float = 1.0
    refresh_s: float = 30.0
    preset: str = "24h"
    beside: tuple[Beside, ...] = ()
    head: Callable[[], list[Any]] | None = None
    filters: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        """Its address."""
        return f"{ROOT}/{self.key}" if self.key else ROOT

    @property
    def live(self) -> str:
        """Name of its view."""
        return f"analytics-{self.key or 'now'}"


PAGES: Final = (
    AnalystPage(
        "",
        "Now",
        now.body,
        now.choose,
        now.read,
        now.SHOWS,
        pause_s=0.25,
        refresh_s=5.0,
        preset="1h",
        beside=(Beside("analytics-feed", feed.read_shown, feed.SHOWS, 0.25),),
        filters=frozenset({"surface", "style", "artist"}),
    ),
    AnalystPage(
        "tracks",
        "Tracks and artists",
        tracks.body,
        tracks.choose,
        tracks.read,
        tracks.SHOWS,
        pause_s=2.0,
        filters=frozenset({"style", "artist", "track"}),
    ),
    AnalystPage(
        "listeners",
        "Listeners",
        listeners.body,
        listeners.choose,
        listeners.read,
        listeners.SHOWS,
        pause_s=2.0,
        refresh_s=60.0,
        preset=listeners.PRESET,
        beside=(
            Beside(
                *("analytics-trajectory", trajectory.read, trajectory.SHOWS),
                pause_s=2.0,
                role=Role.ADMIN,
                body=trajectory.body,
                instead=trajectory.FOR_OTHERS,
            ),
        ),
        filters=frozenset({"listener"}),
    ),
    AnalystPage(
        "map",
        "Taste map",
        taste_map.body,
        map_controls.choose,
        taste_map.read,
        taste_map.SHOWS,
        pause_s=5.0,
        refresh_s=60.0,
        preset=taste_map.PRESET,
        filters=map_choice.FILTERS,
    ),
    AnalystPage(
        "quality",
        "Recommendations",
        quality_body.body,
        quality.choose,
        quality.read,
        quality.SHOWS,
        pause_s=5.0,
        preset=quality.PRESET,
        filters=frozenset({"surface", "model"}),
    ),
    AnalystPage(
        "audio",
        "Audio space",
        audio.body,
        audio.choose,
        audio.read,
        audio.SHOWS,
        pause_s=2.0,
    ),
    AnalystPage(
        "stream",
        "Stream health",
        stream.body,
        stream.choose,
        stream.read,
        stream.SHOWS,
        pause_s=5.0,
        preset="1h",
        beside=(
            Beside(
                *("analytics-health", stream.read_now, stream.STATE_SHOWS),
                pause_s=0.5,
                refresh_s=1.0,
                asks=False,
            ),
            Beside(
                *("analytics-ledger", stream.read_book, stream.LEDGER_SHOWS),
                pause_s=0.5,
                refresh_s=5.0,
                asks=False,
            ),
        ),
        head=stream.head,
    ),
)
"""All of them, in the order of their links; `dashboard/access.py` has them too."""


async def page(identity: Identity, key: str) -> html.Div:
    """Return a page; its content comes by push."""
    if not identity.role.may(Role.ANALYST):
        return _for_others()
    found = next((each for each in PAGES if each.key == key), None)
    if found is None:
        return nothing_there("page", "among the analytics")
    seen = [each for each in found.beside if identity.role.may(each.role)]
    return html.Div(
        [
            html.H1(found.title),
            tabs("Analytics", [(p.title, p.path, p is found) for p in PAGES]),
            *(found.head() if found.head is not None else ()),
            *(found.body() if found.read is None else _asked(found.body())),
            *(part for each in found.beside for part in _beside(each, identity)),
        ],
        className="analysis",
        **marks(
            data_live=" ".join([found.live, *(each.live for each in seen)]),
            data_live_query=found.path,
            data_way=ROOT,
            data_title=f"{found.title} · Analytics",
        ),
    )


def _asked(body: list[Any]) -> list[Any]:
    """Return a page's parts below what may be chosen."""
    return [
        html.Div(id=ids.ANALYSIS_CONTROLS, className="controls"),
        html.P(id=ids.ANALYSIS_NOTE, className="note", role="status"),
        html.P(id=ids.ANALYSIS_TIME, className="facts"),
        html.Div(body, id=ids.ANALYSIS_BODY),
    ]


def _beside(part: Beside, identity: Identity) -> list[Any]:
    """Return what stands below a page for who looks at it."""
    if part.body is None:
        return []
    if identity.role.may(part.role):
        return part.body()
    return [html.P(part.instead, className="facts")]


def _for_others() -> html.Div:
    words = "This page is for analysts. An admin gives the role: segue account role."
    return html.Div(
        [html.H1("Analytics"), html.P(words, className="note")],
        **marks(data_title="Analytics"),
    )
