"""Log in, sign up, log out, another password, and an account that ends.

Each takes a JSON object of texts. A browser's log-in is a cookie that no script reads.
"""

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from starlette.responses import JSONResponse, Response

from dashboard.access import who_asks
from dashboard.api.edge import Handler, endpoint, read_told, text_of
from dashboard.api.events import Publisher
from dashboard.api.rate_limit import RateLimit
from dashboard.identities import Identities, login_of
from dashboard.refusals import RefusedError
from segue import accounts
from segue.clock import Clock
from segue.errors import AccountError, KafkaUnreachableError
from segue.listeners import fold, is_listener
from segue.settings import DashboardSettings
from segue.store import Document

_TRIES_WINDOW_S: Final = 300
_ACCOUNTS_OF_AN_ADDRESS: Final = 5
_S_PER_DAY: Final = 86_400
_STATUS: Final = {
    "wrong_login": HTTPStatus.UNAUTHORIZED,
    "wrong_password": HTTPStatus.FORBIDDEN,
    "name_taken": HTTPStatus.CONFLICT,
}


class AccountDoor:
    """Answers what people ask about their accounts.

    Parameters
    ----------
    publisher : Publisher
        Takes the event by which the stream forgets somebody.
    """

    def __init__(
        self,
        settings: DashboardSettings,
        database: AsyncDatabase[Document],
        identities: Identities,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._settings, self._database = settings, database
        self._identities, self._publisher, self._clock = identities, publisher, clock
        n_tries = settings.login_tries
        self._tries = RateLimit(n_tries, clock, _TRIES_WINDOW_S)
        of_address = n_tries * _ACCOUNTS_OF_AN_ADDRESS
        self._addresses = RateLimit(of_address, clock, _TRIES_WINDOW_S)

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        for path, handler in (
            ("/api/log-in", self._log_in),
            ("/api/sign-up", self._sign_up),
            ("/api/log-out", self._log_out),
            ("/api/password", self._change_password),
            ("/api/delete-account", self._delete_account),
        ):
            router.add_api_route(path, _endpoint(handler), methods=["POST"])
        return router

    async def _log_in(self, request: Request) -> Response:
        name, password = await _texts(request, "name", "password")
        self._count_try(request, name)
        login = await accounts.log_in(
            self._database, name, password, self._clock, self._settings.login_days
        )
        return self._logged_in(login)

    async def _sign_up(self, request: Request) -> Response:
        name, password = await _texts(request, "name", "password")
        if not self._settings.sign_up:
            raise RefusedError(
                403, "no_sign_up", "accounts are made by the admin here, not by sign-up"
            )
        self._count_try(request, name)
        await accounts.sign_up(self._database, name, password, self._clock)
        return await self._new_login(name)

    async def _log_out(self, request: Request) -> Response:
        token = login_of(request.headers)
        await accounts.log_out(self._database, token)
        self._identities.forget(token)
        return _logged_out()

    async def _change_password(self, request: Request) -> Response:
        old, new = await _texts(request, "old", "new")
        user_id = who_asks().user_id
        self._count_try(request, user_id)
        await accounts.change_password(self._database, user_id, old, new)
        self._identities.forget_listener(user_id)
        return await self._new_login(user_id)

    async def _delete_account(self, request: Request) -> Response:
        (password,) = await _texts(request, "password")
        user_id = who_asks().user_id
        self._count_try(request, user_id)
        await accounts.require_password(self._database, user_id, password)
        # first: where it can't be said, nothing has happened yet
        await self._publisher.publish([accounts.farewell(user_id, self._clock)])
        await accounts.close_account(self._database, user_id)
        self._identities.forget_listener(user_id)
        # once more, for what another tab has told meanwhile
        await self._publisher.publish([accounts.farewell(user_id, self._clock)])
        return _logged_out()

    def _count_try(self, request: Request, name: str) -> None:
        address = request.client.host if request.client else ""
        # names that none can have are one, so that nobody fills the memory with them
        known = fold(name) if is_listener(name) else ""
        for tries, who in (
            (self._addresses, address),
            (self._tries, f"{known} {address}"),
        ):
            quota = tries.count(who)
            if quota.is_used_up:
                wait_s = quota.headers()["Retry-After"]
                raise RefusedError(
                    429, "too_many", f"too many tries; wait {wait_s} s, then try again"
                )

    async def _new_login(self, user_id: str) -> Response:
        login = await accounts.open_login(
            self._database, user_id, self._clock, self._settings.login_days
        )
        return self._logged_in(login)

    def _logged_in(self, login: accounts.Login) -> Response:
        answer = JSONResponse({"status": "ok"})
        for cookie in login.cookies():
            answer.set_cookie(
                cookie["name"],
                cookie["value"],
                max_age=self._settings.login_days * _S_PER_DAY,
                httponly=cookie["name"] == accounts.COOKIE,
                samesite="lax",
                secure=self._settings.public_host is not None,
            )
        return answer


def _logged_out() -> Response:
    answer = JSONResponse({"status": "ok"})
    for name in (accounts.COOKIE, accounts.NAME_COOKIE):
        answer.delete_cookie(name, samesite="lax")
    return answer


def _endpoint(handler: Handler) -> Handler:
    """Return the route: what an account or Kafka hinders is JSON with a status too."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except AccountError as error:
            status = _STATUS.get(error.reason, HTTPStatus.BAD_REQUEST)
            raise RefusedError(status, error.reason, str(error)) from None
        except KafkaUnreachableError as error:
            raise RefusedError(503, "kafka_unreachable", str(error)) from None

    return endpoint(answer)


async def _texts(request: Request, *names: str) -> tuple[str, ...]:
    told = await read_told(request)
    return tuple(text_of(told, name) for name in names)
