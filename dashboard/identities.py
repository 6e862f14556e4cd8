"""Who asks: by the cookie of a browser, or the token of a program."""

import time
from typing import Final

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from segue.accounts import COOKIE, identify, identify_program
from segue.clock import Clock
from segue.roles import Identity
from segue.store import Document
from segue.tokens import token_id

_FRESH_S: Final = 1.0
_AWAY_S: Final = 600.0
_MOST_KNOWN: Final = 10_000


class Identities:
    """Looks up who asks.

    An answer counts for a second, so that a page of forty covers is one question; and
    while MongoDB is away for ten minutes, so that those who listen can go on.
    """

    def __init__(self, database: AsyncDatabase[Document], clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._known: dict[str, tuple[Identity, float]] = {}

    async def of(self, headers: Headers) -> Identity | None:
        """Return who asks; None where nobody has logged in.

        Raises
        ------
        PyMongoError
            When MongoDB is away and they are not known.
        """
        token, is_program = login_of(headers), False
        if not token:
            token, is_program = _program_token(headers), True
        if not token:
            return None
        key = f"{is_program}{token_id(token)}"
        identity, at_s = self._known.get(key, (None, -_AWAY_S))
        age_s = time.monotonic() - at_s
        if age_s < _FRESH_S:
            return identity
        try:
            found = await self._look_up(token, is_program)
        except PyMongoError:
            if age_s < _AWAY_S:
                return identity
            raise
        self._keep(key, found)
        return found

    def forget(self, token: str) -> None:
        """Let go of a log-in that has ended."""
        self._known.pop(f"{False}{token_id(token)}", None)

    def forget_listener(self, user_id: str) -> None:
        """Let go of all log-ins of somebody."""
        known = self._known.items()
        self._known = {k: each for k, each in known if each[0].user_id != user_id}

    async def _look_up(self, token: str, is_program: bool) -> Identity | None:
        if is_program:
            return await identify_program(self._database, token)
        return await identify(self._database, token, self._clock)

    def _keep(self, key: str, found: Identity | None) -> None:
        if found is None:
            self._known.pop(key, None)
            return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = found, time.monotonic()


def login_of(headers: Headers) -> str:
    """Return the token of a browser's log-in, or nothing."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _program_token(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "token" else ""
