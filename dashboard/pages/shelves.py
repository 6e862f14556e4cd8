"""Pages of the catalogue: view records in, components out."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from dash import html

from dashboard.marks import marks
from dashboard.pages.radio import start_button
from dashboard.records import Card, Section, Shelf
from dashboard.rows import empty_row, track_rows
from segue.roles import Identity

_WITH_RADIO: Final = ("artist", "album", "track")
_MISSING: Final = "data-missing"
_PLAYED_WHOLE: Final = ("artist", "album", "genre")


def page_of(
    what: str, read: Callable[[str], Awaitable[Shelf | None]]
) -> Callable[[Identity, str], Awaitable[html.Div]]:
    """Return what makes the page of an artist, an album, a style or a track.

    Parameters
    ----------
    what : str
        What is read, as a word.
    read : callable
        By key; None where there is none.
    """

    async def page(_identity: Identity, key: str) -> html.Div:
        shelf = await read(key)
        return nothing_there(what) if shelf is None else layout(shelf, key)

    return page


def layout(shelf: Shelf, key: str) -> html.Div:
    """Return the page of an artist, an album, a style or a track."""
    head: list[Any] = [
        html.H1(shelf.title),
        html.P(_facts(shelf), className="facts"),
    ]
    tools = play_buttons() if shelf.surface in _PLAYED_WHOLE else []
    if shelf.surface in _WITH_RADIO:
        tools.append(start_button(shelf.surface, key, shelf.title))
    head.append(html.Div(tools, className="tools"))
    if shelf.cover_track_id is not None:
        cover = f"/covers/{quote(shelf.cover_track_id, safe='')}"
        head = [
            html.Img(src=cover, alt="", width="160", height="160"),
            html.Div(head),
        ]
    return html.Div(
        [html.Div(head, className="shelf-head"), *sections(shelf)],
        className="shelf",
        **marks(data_title=shelf.title),
    )


def play_buttons() -> list[html.Button]:
    """Return the buttons that play all that a page lists, in its order and in none."""
    play = html.Button(
        [html.Span(className="icon icon-play"), "Play"],
        type="button",
        className="main-button with-icon",
        **marks(data_do="play-all"),
    )
    shuffle = html.Button(
        "Shuffle",
        type="button",
        className="quiet-button",
        **marks(data_do="shuffle-all"),
    )
    return [play, shuffle]


def nothing_there(what: str, where: str = "in the library") -> html.Div:
    """Return what stands where a page's subject is not, or no longer, there."""
    words = f"This {what} is not {where}, or no longer."
    return html.Div(
        [html.H1("Not there"), html.P(words, className="note")],
        **marks(data_title="Not there", **{_MISSING: ""}),
    )


def is_missing(page: html.Div) -> bool:
    """Tell whether the subject of a page is not there."""
    return hasattr(page, _MISSING)


def away() -> html.Div:
    """Return what stands where MongoDB does not answer."""
    words = "The library does not answer. Try again in a moment."
    return html.Div(
        [html.H1("Away"), html.P(words, className="note")], **marks(data_title="Away")
    )


def sections(shelf: Shelf) -> list[Any]:
    """Return the sections of a shelf, or a word where there are none."""
    if not shelf.sections:
        return [
            html.Ul(
                [empty_row("Nothing found", "Try fewer letters.")], className="tracks"
            )
        ]
    return [_section(each, shelf.surface) for each in shelf.sections]


def _section(section: Section, surface: str) -> html.Section:
    content: list[Any] = [html.H2(section.title)] if section.title else []
    if section.cards:
        content.append(html.Ul(list(map(card_item, section.cards)), className="cards"))
    if section.tracks:
        named = section.title or "Tracks"
        content.append(
            html.Ul(
                track_rows(section.tracks),
                className="tracks compact",
                **marks(
                    data_track_list="shelf", data_surface=surface, aria_label=named
                ),
            )
        )
    return html.Section(content)


def card_item(card: Card) -> html.Li:
    """Return an artist, an album or a style as a link with its cover."""
    words: list[Any] = [
        html.Span(card.name, className="card-name"),
        html.Span(card.text, className="by"),
    ]
    if card.cover_track_id is not None:
        cover = f"/covers/{quote(card.cover_track_id, safe='')}"
        words.insert(0, html.Img(src=cover, alt="", width="120", height="120"))
    return html.Li(html.A(words, href=card.href, className="card"))


def _facts(shelf: Shelf) -> list[Any]:
    said: list[Any] = []
    for fact in shelf.facts:
        if said:
            said.append(" · ")
        if isinstance(fact, Card):
            said.append(html.A(fact.name, href=fact.href))
        else:
            said.append(fact)
    return said
