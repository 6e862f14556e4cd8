"""Pages of the catalogue: view records in, components out."""

from typing import Any
from urllib.parse import quote

from dash import html

from dashboard.marks import marks
from dashboard.records import Card, Section, Shelf
from dashboard.rows import empty_row, track_rows


def layout(shelf: Shelf) -> html.Div:
    """Return the page of an artist, an album, a style or a track."""
    head = [
        html.H1(shelf.title),
        html.P(_facts(shelf), className="facts"),
    ]
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


def nothing_there(what: str) -> html.Div:
    """Return what stands where a page's subject is not, or no longer, there."""
    words = f"This {what} is not in the library, or no longer."
    return html.Div(
        [html.H1("Not there"), html.P(words, className="note")],
        **marks(data_title="Not there"),
    )


def away() -> html.Div:
    """Return what stands where MongoDB does not answer."""
    words = "The library does not answer. Try again in a moment."
    return html.Div(
        [html.H1("Away"), html.P(words, className="note")], **marks(data_title="Away")
    )


def sections(shelf: Shelf) -> list[Any]:
    """Return the sections of a shelf, or a word where there are none."""
    if not shelf.sections:
        return [html.Ul([empty_row("Nothing found", "Try fewer letters.")])]
    return [_section(each, shelf.surface) for each in shelf.sections]


def _section(section: Section, surface: str) -> html.Section:
    content: list[Any] = [html.H2(section.title)] if section.title else []
    if section.cards:
        content.append(html.Ul(list(map(_card, section.cards)), className="cards"))
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


def _card(card: Card) -> html.Li:
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
