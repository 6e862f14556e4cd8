"""The pages of playlists: all of a listener, one of them, and one that is shared.

The rows of one are drawn by `browser/pages/playlists.js`: there may be thousands.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from dash import dcc, html

from dashboard import ids
from dashboard.marks import marks
from dashboard.pages import shelves
from dashboard.pages.frame import Layout
from dashboard.pages.radio import start_button
from dashboard.playlist_records import MAX_NAME_CHARS, Playlist, Summary
from dashboard.playlists import Playlists
from dashboard.refusals import RefusedError
from dashboard.rows import empty_row
from segue.roles import Identity

ALL: Final = "playlists"
"""The live page of all playlists."""
ONE: Final = "playlist"
"""The live page of one playlist, by its key."""
_MINUTES_OF_HOUR: Final = 60


def layouts(playlists: Playlists) -> dict[str, Layout]:
    """Return what makes each page, by the first word of its address."""

    async def all_of(identity: Identity, _key: str) -> html.Div:
        return _all(await playlists.read_all(identity.user_id))

    async def one(identity: Identity, key: str) -> html.Div:
        try:
            playlist = await playlists.read(identity.user_id, key)
        except RefusedError:
            return shelves.nothing_there("playlist", "among yours")
        return _own(playlist, await playlists.read_covers(playlist))

    async def shared(_identity: Identity, token: str) -> html.Div:
        try:
            playlist = await playlists.read_shared(token)
        except RefusedError:
            return shelves.nothing_there("playlist", "shared")
        return _shared(playlist, token, await playlists.read_covers(playlist))

    return {"playlists": all_of, "playlist": one, "shared": shared}


def cards(found: Sequence[Summary]) -> list[html.Li]:
    """Return playlists as ways to their pages."""
    if not found:
        tip = "Make one above, or add a track by its “⋯”."
        return [empty_row("No playlists yet", tip)]
    return [_card(each) for each in found]


def facts(n_tracks: int, duration_ms: int) -> str:
    """Return number and length of tracks in words.

    Examples
    --------
    >>> facts(1, 187_000), facts(1200, 4_320_000), facts(0, 0)
    ('1 track, 3 min', '1,200 tracks, 1 h 12 min', 'No tracks yet')
    """
    if not n_tracks:
        return "No tracks yet"
    count = f"{n_tracks:,} track{'' if n_tracks == 1 else 's'}"
    hours, minutes = divmod(round(duration_ms / 60_000), _MINUTES_OF_HOUR)
    length = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return f"{count}, {length}"


def mosaic(track_ids: Sequence[str]) -> html.Span:
    """Return up to four covers in a square."""
    images = [
        html.Img(src=f"/covers/{quote(each, safe='')}", alt="", width="80", height="80")
        for each in track_ids
    ]
    empty = [html.Span(className="icon icon-playlists")]
    return html.Span(images or empty, className=f"mosaic mosaic-{len(images)}")


def _all(found: Sequence[Summary]) -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.H1("Playlists"),
                    html.Div([_new(), _button("Import", "import")], className="making"),
                ],
                className="playlists-head",
            ),
            # what a file named and the library has not, by `browser/pages/playlists.js`
            html.Div(id="imported", className="imported", role="status"),
            html.Ul(
                cards(found),
                id=ids.PLAYLISTS,
                className="cards playlists",
                **marks(aria_label="Playlists"),
            ),
        ],
        className="shelf",
        **marks(data_title="Playlists", data_live=ALL),
    )


def _own(playlist: Playlist, covers: Sequence[str]) -> html.Div:
    path = f"/api/playlists/{playlist.key}"
    exports = [
        html.A(
            text,
            href=f"{path}/export?form={form}",
            download="",
            className="quiet-button",
        )
        for text, form in (("Export M3U", "m3u"), ("Export JSPF", "jspf"))
    ]
    tools = html.Div(
        [
            *shelves.play_buttons(),
            start_button("playlist", playlist.key, playlist.name),
            _button("Rename", "rename"),
            _button("Share", "share"),
            *exports,
            _button("Delete", "delete"),
        ],
        className="tools",
    )
    return html.Div(
        [
            _head(playlist, covers),
            tools,
            html.Div(id="playlist-share", className="share-line"),
            _tracks(path, playlist),
            # where a row went, for those who do not see it
            html.P(id="playlist-said", className="unseen", role="status"),
        ],
        id=ids.PLAYLIST_PAGE,
        className="shelf playlist",
        **marks(data_title=playlist.name, data_live=ONE, data_live_key=playlist.key),
    )


def _shared(playlist: Playlist, token: str, covers: Sequence[str]) -> html.Div:
    path = f"/api/shared/{quote(token, safe='')}"
    copy = _button("Copy to my playlists", "copy")
    return html.Div(
        [
            _head(playlist, covers, f"By {playlist.user_id}, "),
            html.Div([*shelves.play_buttons(), copy], className="tools"),
            _tracks(path, playlist, "shared"),
        ],
        className="shelf playlist",
        **marks(data_title=playlist.name),
    )


def _head(playlist: Playlist, covers: Sequence[str], by: str = "") -> html.Div:
    count = facts(len(playlist.track_ids), playlist.duration_ms)
    words = [
        html.H1(playlist.name, id=ids.PLAYLIST_NAME),
        html.P(f"{by}{count}", id=ids.PLAYLIST_FACTS, className="facts"),
    ]
    return html.Div(
        [
            html.Div(mosaic(covers), id=ids.PLAYLIST_COVERS, className="large-covers"),
            html.Div(words, className="head-words"),
        ],
        className="shelf-head",
    )


def _tracks(path: str, playlist: Playlist, by: str = "own") -> html.Ol:
    return html.Ol(
        id=ids.PLAYLIST,
        className="tracks compact playlist-tracks",
        **marks(
            data_track_list="playlist",
            data_surface="playlist",
            data_path=path,
            data_by=by,
            data_version=str(playlist.version),
            aria_label="Tracks",
        ),
    )


def _new() -> html.Form:
    name = dcc.Input(
        name="name",
        type="text",
        placeholder="New playlist",
        maxLength=MAX_NAME_CHARS,
        required=True,
        autoComplete="off",
    )
    return html.Form(
        [
            html.Label([html.Span("Name of a new playlist", className="unseen"), name]),
            html.Button("Create", type="submit", className="main-button"),
            html.P(className="form-said", role="alert"),
        ],
        className="form name-form",
        method="post",
        **marks(data_post="/api/playlists", data_then="playlist-made"),
    )


def _button(text: str, name: str) -> html.Button:
    return html.Button(
        text,
        type="button",
        className="quiet-button",
        **marks(data_do=f"playlist-{name}"),
    )


def _card(each: Summary) -> html.Li:
    words = [
        mosaic(each.cover_track_ids),
        html.Span(each.name, className="card-name"),
        html.Span(facts(each.n_tracks, each.duration_ms), className="by"),
    ]
    if each.is_shared:
        words.append(html.Span("Shared by link", className="by"))
    return html.Li(html.A(words, href=f"/playlist/{each.key}", className="card"))
