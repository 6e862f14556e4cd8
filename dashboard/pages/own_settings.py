"""The settings: how it looks, the account, tokens, and the music for an admin.

`browser/pages/settings.js` brings it to life.
"""

from typing import Any, Final

from dash import dcc, html

from dashboard.marks import marks
from dashboard.pages.account import panel, panels
from segue.roles import Identity, Role

_THEMES: Final = (("system", "As the system"), ("dark", "Dark"), ("light", "Light"))
_PATH_CHARS: Final = 4096


async def page(identity: Identity, _key: str) -> html.Div:
    """Return the page for who asks."""
    music = [_music()] if identity.role.may(Role.ADMIN) else []
    return html.Div(
        [
            html.H1("Settings"),
            html.P(
                f"{identity.user_id} · logged in as {identity.role}", className="facts"
            ),
            html.Div(
                [*music, _look(), _keys(), _tokens(), *panels()],
                className="panels account",
            ),
        ],
        id="settings",
        **marks(data_title="Settings"),
    )


def _look() -> html.Section:
    choices = [
        html.Button(
            text,
            type="button",
            className="choice",
            **marks(data_theme_choice=name, aria_pressed="false"),
        )
        for name, text in _THEMES
    ]
    group = html.Div(
        choices, className="choices", role="group", **marks(aria_label="Theme")
    )
    return panel("Appearance", [group])


def _keys() -> html.Section:
    words = (
        "Space plays and pauses, ← and → go ten seconds, with shift to the previous "
        "and next track, l likes."
    )
    switch = html.Button(
        "Shortcuts",
        type="button",
        className="choice",
        role="switch",
        **marks(data_do="keys", aria_checked="true"),
    )
    return panel("Keyboard", [html.P(words, className="facts"), switch])


def _tokens() -> html.Section:
    words = (
        "A program that can send to ListenBrainz sends your plays here: its address is "
        "that of this page, its token one of these."
    )
    return panel(
        "Tokens for scrobblers",
        [
            html.P(words, className="facts"),
            html.Ul(id="tokens", className="plain"),
            html.P(id="token-said", className="form-said", role="status"),
            html.Button(
                "Make a token", type="button", id="token-make", className="more"
            ),
        ],
    )


def _music() -> html.Section:
    words = (
        "What is imported can be found and played at once; what is removed is no "
        "longer found. Its files are never touched, what it taught of your taste "
        "stays, and an import brings it back. Lists follow when the next “segue "
        "features build” has heard it, or one that runs with --watch."
    )
    field = html.Label(
        [
            "Folder on the server",
            dcc.Input(
                name="folder",
                type="text",
                placeholder="/home/…/Music",
                autoComplete="off",
                maxLength=_PATH_CHARS,
                required=True,
            ),
        ]
    )
    form = html.Form(
        [field, html.Button("Import", type="submit", className="main-button")],
        id="music-form",
        className="form",
    )
    return panel(
        "Music folders",
        [
            html.Ul(id="music-folders", className="plain"),
            form,
            html.P(words, className="facts"),
            html.Div(_progress(), id="music-import", hidden=True),
        ],
    )


def _progress() -> list[Any]:
    return [
        html.P(id="music-said", role="status"),
        html.Progress(
            id="music-bar", max="1", value="0", **marks(aria_label="Files read")
        ),
        html.P(id="music-where", className="by"),
        html.Ul(id="music-errors", className="plain"),
        html.Button("Stop", type="button", id="music-stop", className="more"),
    ]
