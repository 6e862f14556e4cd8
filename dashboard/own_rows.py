"""What is a listener's own, as components: what they like, have heard, have blocked."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from dash import html

from dashboard import dates
from dashboard.history import Change, Day, Forgotten, Heard, Session
from dashboard.marks import marks
from dashboard.records import TrackCard
from dashboard.rows import clock_text, empty_row, gone_row, row_saying
from dashboard.said import Blocked, KnownTrack
from segue.events import Action, Scope

_GONE: Final = "No longer in the library"
_ENDED: Final[Mapping[str, str]] = {
    Action.COMPLETED: "to the end",
    Action.SKIPPED: "skipped",
    Action.PROGRESSED: "not to the end",
}
_FROM: Final[Mapping[str, str]] = {
    "player": "from your list",
    "search": "from the search",
    "album": "from an album",
    "artist": "from an artist",
    "genre": "from a style",
    "track": "from the page of a track",
    "liked": "from what you like",
    "history": "from your history",
}
_SURFACE_CHARS: Final = 40
_KINDS: Final = (
    (Scope.TRACK, "Tracks"),
    (Scope.ARTIST, "Artists"),
    (Scope.ALBUM, "Albums"),
)


def liked_rows(liked: Sequence[KnownTrack]) -> list[html.Li]:
    """Return the rows of what is liked."""
    if not liked:
        tip = "Press the heart in the player, or L: it shows up here at once."
        return [empty_row("Nothing liked yet", tip)]
    return [_liked_row(each) for each in liked]


def history_rows(days: Sequence[Day]) -> list[html.Li]:
    """Return what was heard, with a heading for each day and each session."""
    if not days:
        tip = "Play something: what you hear is kept here, for you alone."
        return [empty_row("Nothing heard yet", tip)]
    rows = []
    for day in days:
        title = f"{day.day:%A} {dates.day(day.day)}"
        rows.append(_heading(title, str(day.day)))
        for session in day.sessions:
            rows.append(_session_head(session, day.day))
            rows += map(_heard_row, session.listens)
    return rows


def forgotten_note(
    forgotten: Forgotten | None, left: Sequence[str], came: Sequence[str]
) -> list[Any]:
    """Return what forgetting did, in plain words.

    Parameters
    ----------
    left, came : sequence of str
        The first few titles of what left the list, and of what came.
    """
    if forgotten is None:
        return []
    if not forgotten.is_done:
        return ["Forgetting…"]
    listens = number_of(forgotten.n_listens, "listen")
    said = [html.P(f"Forgotten: {listens}. {_effect(forgotten)}")]
    change = forgotten.change or Change()
    said += [
        html.P([html.B(f"{what}: "), _titles(names, len(ids))])
        for what, names, ids in (
            ("Left", left, change.left),
            ("Came", came, change.came),
        )
        if ids
    ]
    return said


def blocked_rows(blocked: Sequence[Blocked]) -> list[html.Li]:
    """Return what is blocked, with a heading for each kind."""
    if not blocked:
        tip = "“Block” is in the menu of each track."
        return [empty_row("Nothing is blocked", tip)]
    rows = []
    for scope, title in _KINDS:
        held = [_blocked_row(each) for each in blocked if each.scope == scope]
        rows += [_heading(title, scope.value), *held] if held else []
    return rows


def _liked_row(liked: KnownTrack) -> html.Li:
    card = liked.card
    unlike = _button("unlike", f"Unlike {card.title}", html.Span(className="heart"))
    key = marks(data_key=card.track_id)
    if not liked.is_there:
        return gone_row(card, _GONE, [unlike], key)
    length = html.Span(clock_text(card.duration_ms), className="duration")
    return row_saying(card, "", [html.Div([length, unlike], className="ends")], key)


def _heading(title: str, key: str) -> html.Li:
    return html.Li(html.H2(title), className="heading", **marks(data_key=key))


def _session_head(session: Session, day: date) -> html.Li:
    times = [dates.time(heard.at) for heard in reversed(session.listens)]
    span = " to ".join(dict.fromkeys((times[0], times[-1])))
    n_listens = number_of(len(times), "listen")
    head = [html.H3(span), html.P(n_listens, className="facts")]
    data = marks(data_key=f"{day}|{session.session_id}")
    if session.session_id is not None:
        label = f"Forget the session of {span}"
        head.append(_button("forget-session", label, "Forget session"))
        data |= marks(
            data_session_id=session.session_id,
            data_track_id_of=session.listens[0].track.card.track_id,
        )
    return html.Li(head, className="session-head", **data)


def _heard_row(heard: Heard) -> html.Li:
    card = heard.track.card
    said = [
        dates.time(heard.at),
        _much(heard),
        _ENDED.get(heard.action, heard.action),
        _from(heard.surface),
    ]
    text = " · ".join(filter(None, said))
    data = marks(data_play_id=heard.play_id, data_key=heard.play_id)
    if heard.session_id is not None:
        data |= marks(data_session_id=heard.session_id)
    if heard.track.is_there:
        return row_saying(card, text, [_forget(card)], data)
    return gone_row(card, f"{text} · {_GONE.lower()}", [_forget(card)], data)


def _forget(card: TrackCard) -> html.Button:
    return _button("forget-listen", f"Forget this listen of {card.title}", "Forget")


def _much(heard: Heard) -> str:
    if heard.played_ms is None:
        return ""
    length = f" of {clock_text(heard.duration_ms)}" if heard.duration_ms else ""
    return f"{clock_text(heard.played_ms)}{length}"


def _from(surface: str) -> str:
    return _FROM.get(surface) or (f"from {surface[:_SURFACE_CHARS]}" if surface else "")


def _effect(forgotten: Forgotten) -> str:
    if not forgotten.has_list:
        return "Nothing is left of which a list could be made."
    change = forgotten.change
    if change is None:
        return "Your list has been made anew without it."
    if not change.left and not change.came:
        return "Your list stays as it was."
    return f"{len(change.left)} left your list, {len(change.came)} came."


def _titles(names: Sequence[str], n_all: int) -> str:
    told = ", ".join(names)
    n_more = n_all - len(names)
    return f"{told} and {n_more} more" if n_more else told


def _blocked_row(blocked: Blocked) -> html.Li:
    card = blocked.track.card
    name, by, href = _subject(blocked)
    title = html.A(name, href=href, className="way") if href else html.Span(name)
    words = html.Div(
        [html.P([title], className="title"), html.P(by, className="by")],
        className="words",
    )
    source = f"/covers/{quote(card.track_id, safe='')}"
    image = html.Img(src=source, alt="", width="44", height="44")
    unblock = _button("unblock", f"Unblock {name}", "Unblock")
    return html.Li(
        [
            html.Span(image if blocked.track.is_there else None, className="cover"),
            words,
            unblock,
            html.Span(),
        ],
        className="track",
        **marks(
            data_key=f"{blocked.scope}|{blocked.key}",
            data_blocked=blocked.scope,
            data_blocked_id=card.track_id,
            data_title=name,
        ),
    )


def _subject(blocked: Blocked) -> tuple[str, str, str]:
    """Return name, line and way of what is blocked."""
    card = blocked.track.card
    gone = "" if blocked.track.is_there else _GONE
    if blocked.scope == Scope.ARTIST:
        return card.artist, gone or "Artist", _way("artist", card.artist_id)
    if blocked.scope == Scope.ALBUM:
        return card.album or card.title, card.artist, _way("album", card.album_id)
    return card.title, gone or card.artist, "" if gone else _way("track", card.track_id)


def _way(kind: str, key: str) -> str:
    return f"/{kind}/{quote(key, safe='')}" if key else ""


def _button(do: str, label: str, content: Any) -> html.Button:
    return html.Button(
        content,
        type="button",
        className="flat mine-do",
        **marks(data_do=do, aria_label=label),
    )


def number_of(count: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
