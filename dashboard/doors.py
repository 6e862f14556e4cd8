"""The pages before the log-in: `/log-in` and `/sign-up`."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from dashboard.scripts import script_tags
from dashboard.theme import css_variables
from segue.passwords import MIN_PASSWORD_CHARS

_HERE: Final = Path(__file__).parent
_TEMPLATE: Final = (_HERE / "door.html").read_text(encoding="utf-8")
_FORM: Final = (_HERE / "door_form.html").read_text(encoding="utf-8")
_LOG_IN: Final = {
    "title": "Log in",
    "post": "/api/log-in",
    "complete": "current-password",
    "shortest": "1",
    "other": '<p class="facts">No account yet? <a href="/sign-up">Sign up</a></p>',
}
_SIGN_UP: Final = {
    "title": "Sign up",
    "post": "/api/sign-up",
    "complete": "new-password",
    "shortest": str(MIN_PASSWORD_CHARS),
    "other": '<p class="facts">You have one? <a href="/log-in">Log in</a></p>',
}
_NO_SIGN_UP: Final = '<p class="facts">Accounts are made by the admin here.</p>'


def create_router(sign_up: bool) -> APIRouter:
    """Return the routes; without `sign_up` nobody can make an account of their own."""
    router = APIRouter()
    log_in = _door(_LOG_IN if sign_up else {**_LOG_IN, "other": _NO_SIGN_UP})
    pages = {"/log-in": log_in, "/sign-up": _door(_SIGN_UP) if sign_up else log_in}
    for path, page in pages.items():
        router.add_api_route(path, _endpoint(page), methods=["GET", "HEAD"])
    return router


def _door(words: Mapping[str, str]) -> str:
    content = _filled(_FORM, words)
    return _page(words["title"], content, script_tags("doors"))


def _page(title: str, content: str, scripts: str = "") -> str:
    told = {"title": title, "content": content, "scripts": scripts}
    return _filled(_TEMPLATE, {**told, "theme": css_variables()})


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(f"{{%{name}%}}", value)
    return text


NOT_THERE: Final = _page(
    "Not there",
    "<p>There is no page at this address.</p>\n"
    '  <p><a href="/">Go to the first page</a></p>',
)
"""What a browser shows at an address where nothing is."""


def _endpoint(page: str) -> Callable[[], Awaitable[HTMLResponse]]:
    async def answer() -> HTMLResponse:
        return HTMLResponse(page, headers={"cache-control": "no-store"})

    return answer
