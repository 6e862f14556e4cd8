"""Rows of tracks: view records in, components out; the player reads their `data-*`."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from dash import html

from dashboard.marks import marks
from dashboard.records import (
    Cause,
    ForYou,
    ListedTrack,
    Movement,
    NotedTrack,
    Sentence,
    TrackCard,
)
from segue.clock import rfc3339

_DECIMALS: Final = 6
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
            _words(each.track, _why(each)),
            [_movement(moved.get(each.track.track_id)), _score(each)],
            {
                "data-rank": each.rank,
                "data-propensity": each.propensity,
                "data-why": None if each.score is None else _parts(each),
            },
        )
        for each in for_you.tracks
    ]


def track_rows(tracks: Sequence[TrackCard]) -> list[html.Li]:
    """Return rows of tracks without rank and score."""
    return [
        _row(card, _words(card), [_duration(card.duration_ms)], {}) for card in tracks
    ]


def noted_rows(tracks: Sequence[NotedTrack]) -> list[html.Li]:
    """Return rows of tracks, each with a word on why it is shown."""
    return [
        _row(
            each.track,
            _words(each.track, html.P(spoken(each.note), className="why")),
            [_duration(each.track.duration_ms)],
            {},
        )
        for each in tracks
    ]


def spoken(sentence: Sentence) -> list[Any]:
    """Return a sentence; `browser/pages/live.js` writes its moments in local time."""
    return [
        html.Time(dateTime=rfc3339(each), **marks(data_clock=rfc3339(each)))
        if isinstance(each, datetime)
        else each
        for each in sentence
    ]


def way_to_track(card: TrackCard) -> html.A | html.Span:
    """Return a track's title as a link to its page."""
    return _way(card.title, "track", card.track_id)


def row_saying(
    card: TrackCard, said: str, ends: Sequence[Any], data: Mapping[str, Any]
) -> html.Li:
    """Return a row with a line of its own below the names."""
    more = [html.P(said, className="why")] if said else []
    return _row(card, _words(card, *more), ends, data)


def gone_row(
    card: TrackCard, said: str, ends: Sequence[Any], data: Mapping[str, Any]
) -> html.Li:
    """Return what stands for a track that the library has not, or no longer."""
    by = " · ".join(filter(None, (card.artist, card.album)))
    words = html.Div(
        [
            html.P(html.Span(card.title), className="title"),
            html.P(by, className="by"),
            html.P(said, className="why"),
        ],
        className="words",
    )
    cover = html.Span(className="cover", **marks(aria_hidden="true"))
    return html.Li(
        [cover, words, *ends, html.Span()],
        className="track gone",
        **marks(data_gone_id=card.track_id, data_title=card.title),
        **data,
    )


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
        "data-artist-id": card.artist_id or None,
        "data-album-id": card.album_id or None,
        "data-duration-ms": card.duration_ms,
        **data,
    }
    known: dict[str, Any] = {
        name: str(value) for name, value in facts.items() if value is not None
    }
    row = [_cover(card), words, *ends, _more(card)]
    return html.Li(row, className="track", **known)


def _more(card: TrackCard) -> html.Button:
    """Return the button that opens the menu of `browser/player/menu.js`."""
    return html.Button(
        html.Span(className="icon icon-more"),
        type="button",
        className="flat more-of",
        **marks(
            data_do="menu",
            aria_label=f"More to do with {card.title}",
            aria_haspopup="menu",
            aria_expanded="false",
        ),
    )


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


def _why(each: ListedTrack) -> html.P:
    words: list[Any] = [html.Span(spoken(each.reason))]
    if each.score is not None:
        words.append(
            html.Button(
                "Why?",
                type="button",
                className="why-of",
                **marks(
                    data_do="why",
                    aria_expanded="false",
                    aria_label=f"Why {each.track.title}?",
                ),
            )
        )
    return html.P(words, className="why")


def _parts(each: ListedTrack) -> str:
    """Return what `browser/pages/why.js` shows of a row."""
    told = {
        "parts": {name: round(part, _DECIMALS) for name, part in each.parts.items()},
        "causes": [_cause(cause) for cause in each.causes],
        "explored": each.explored,
        "propensity": each.propensity,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "kind": cause.kind,
        "id": cause.track.track_id,
        "title": cause.track.title,
        "artist": cause.track.artist,
        "share": cause.share,
        "at": None if cause.at is None else rfc3339(cause.at),
    }


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
    width = f"{100 * max(0.0, min(1.0, each.score)):.0f}%"
    return html.Span(
        [
            html.Span(f"{each.score:.2f}"),
            html.Span(html.Span(style={"width": width}), className="meter"),
        ],
        className="score",
        title=f"Score {each.score:.3f}",
    )


def _duration(duration_ms: int | None) -> html.Span:
    return html.Span(clock_text(duration_ms), className="duration")
