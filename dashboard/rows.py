"""Rows of tracks: view records in, components out; the player reads their `data-*`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from dash import html

from dashboard.marks import marks
from dashboard.records import ForYou, ListedTrack, Movement, TrackCard

_MOVED: Final[Mapping[Movement, tuple[str, str]]] = {
    "new": ("new", "New in the list"),
    "up": ("up", "Moved up"),
    "down": ("down", "Moved down"),
    "same": ("same", "Unchanged"),
}


def listed_rows(for_you: ForYou, moved: Mapping[str, Movement]) -> list[html.Li]:
    """Return the rows of a list of recommendations, in rank order."""
    return [
        _row(
            each.track,
            _words(each.track, html.P(each.reason, className="why")),
            [_movement(moved.get(each.track.track_id)), _score(each)],
            {"data-rank": each.rank, "data-propensity": each.propensity},
        )
        for each in for_you.tracks
    ]


def track_rows(tracks: Sequence[TrackCard]) -> list[html.Li]:
    """Return rows of tracks without rank and score."""
    return [
        _row(card, _words(card), [_duration(card.duration_ms)], {}) for card in tracks
    ]


def clock_text(duration_ms: int | None) -> str:
    """Return a duration as minutes and seconds.

    Examples
    --------
    >>> clock_text(187_400), clock_text(None)
    ('3:07', '-')
    """
    if duration_ms is None:
        return "-"
    minutes, seconds = divmod(duration_ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def empty_row(title: str, text: str) -> html.Li:
    """Return what stands in a list without rows."""
    return html.Li(
        [html.P(title, className="title"), html.P(text, className="by")],
        className="empty",
    )


def _row(
    card: TrackCard,
    words: html.Div,
    ends: Sequence[Any],
    data: Mapping[str, Any],
) -> html.Li:
    facts = {
        "data-track-id": card.track_id,
        "data-title": card.title,
        "data-artist": card.artist,
        "data-album": card.album,
        "data-duration-ms": card.duration_ms,
        **data,
    }
    known: dict[str, Any] = {
        name: str(value) for name, value in facts.items() if value is not None
    }
    return html.Li([_cover(card), words, *ends], className="track", **known)


def _cover(card: TrackCard) -> html.Button:
    image = html.Img(
        src=f"/covers/{quote(card.track_id, safe='')}",
        alt="",
        width="56",
        height="56",
    )
    return html.Button(
        [image, html.Span(className="icon icon-play")],
        type="button",
        className="cover",
        **marks(data_do="play", aria_label=f"Play {card.title} by {card.artist}"),
    )


def _words(card: TrackCard, *more: Any) -> html.Div:
    by: list[Any] = [_way(card.artist, "artist", card.artist_id, "artist")]
    if card.album:
        by += [" · ", _way(card.album, "album", card.album_id)]
    title = html.P([_way(card.title, "track", card.track_id)], className="title")
    if card.genre:
        title.children.append(html.Span(card.genre, className="style"))
    return html.Div([title, html.P(by, className="by"), *more], className="words")


def _way(text: str, kind: str, key: str, look: str = "") -> html.A | html.Span:
    """Return a word that leads to a page, where there is one."""
    if not key:
        return html.Span(text, className=look)
    return html.A(text, href=f"/{kind}/{quote(key, safe='')}", className=f"way {look}")


def _movement(moved: Movement | None) -> html.Span:
    if moved is None:
        return html.Span(className="moved")
    name, text = _MOVED[moved]
    return html.Span(
        [html.Span(className=f"icon icon-{name}"), html.Span(text, className="unseen")],
        className=f"moved moved-{name}",
        title=text,
    )


def _score(each: ListedTrack) -> html.Span:
    if each.score is None:
        return html.Span(className="score")
    parts = ", ".join(f"{name} {value:+.2f}" for name, value in each.parts.items())
    width = f"{100 * max(0.0, min(1.0, each.score)):.0f}%"
    return html.Span(
        [
            html.Span(f"{each.score:.2f}"),
            html.Span(html.Span(style={"width": width}), className="meter"),
        ],
        className="score",
        title=f"Score {each.score:.3f}" + (f" = {parts}" if parts else ""),
    )


def _duration(duration_ms: int | None) -> html.Span:
    return html.Span(clock_text(duration_ms), className="duration")
