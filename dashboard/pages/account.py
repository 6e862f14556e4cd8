"""The panels of an account: another password, and the end of it all."""

from typing import Any

from dash import dcc, html

from dashboard.marks import marks
from segue.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS


def panels() -> list[html.Section]:
    """Return the panels; their forms are sent by `browser/doors/forms.js`."""
    return [_leaving(), _password(), _deleting()]


def _leaving() -> html.Section:
    form = _form("/api/log-out", "door", [], "Log out")
    return panel("This browser", [form])


def _password() -> html.Section:
    fields = [
        _field("old", "Password now", "current-password"),
        _field("new", "New password", "new-password", shortest=MIN_PASSWORD_CHARS),
    ]
    said = "The password is another now; other browsers have to log in again."
    form = _form("/api/password", "say", fields, "Change it", said)
    return panel("Password", [form])


def _deleting() -> html.Section:
    words = (
        "All that you played, liked and skipped is taken out of history, archive, "
        "tastes and lists, and the account goes. There is no way back."
    )
    fields = [_field("password", "Password, to be sure", "current-password")]
    form = _form("/api/delete-account", "gone", fields, "Delete my account")
    return panel("Delete this account", [html.P(words, className="facts"), form])


def _form(
    post: str, then: str, fields: list[Any], button: str, said: str = ""
) -> html.Form:
    return html.Form(
        [
            *fields,
            html.P(className="form-said", role="alert"),
            html.Button(button, type="submit", className="main-button"),
        ],
        className="form",
        # before the script is there, a password must not go into an address
        method="post",
        **marks(data_post=post, data_then=then, data_said=said),
    )


def _field(name: str, label: str, complete: str, shortest: int = 1) -> html.Label:
    return html.Label(
        [
            label,
            dcc.Input(
                name=name,
                type="password",
                autoComplete=complete,
                minLength=shortest,
                maxLength=MAX_PASSWORD_CHARS,
                required=True,
            ),
        ]
    )


def panel(title: str, content: list[Any]) -> html.Section:
    """Return a part of the page with its heading."""
    return html.Section([html.H2(title), *content], className="panel")
