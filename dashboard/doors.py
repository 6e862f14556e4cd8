"""The pages before the log-in: `/log-in` and `/sign-up`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from dashboard.theme import css_variables
from segue.passwords import MIN_PASSWORD_CHARS

_TEMPLATE: Final = Path(__file__).parent / "door.html"
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
    log_in = _page(_LOG_IN if sign_up else {**_LOG_IN, "other": _NO_SIGN_UP})
    pages = {"/log-in": log_in, "/sign-up": _page(_SIGN_UP) if sign_up else log_in}
    for path, page in pages.items():
        router.add_api_route(path, _endpoint(page), methods=["GET", "HEAD"])
    return router


def _page(words: Mapping[str, str]) -> str:
    text = _TEMPLATE.read_text(encoding="utf-8")
    for name, value in {**words, "theme": css_variables()}.items():
        text = text.replace(f"{{%{name}%}}", value)
    return text


def _endpoint(page: str):  # type: ignore[no-untyped-def]
    async def answer() -> HTMLResponse:
        return HTMLResponse(page, headers={"cache-control": "no-store"})

    return answer
