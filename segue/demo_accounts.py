"""The accounts of the demo: one of each role, with passwords of this home."""

import json
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

from pymongo.asynchronous.database import AsyncDatabase

from segue.accounts import (
    Login,
    add_account,
    close_account,
    open_login,
    read_accounts,
    run_with,
)
from segue.clock import system_clock
from segue.roles import Role
from segue.settings import Settings
from segue.store import Document

_FILE: Final = "demo-accounts.json"
_NAMES: Final = {"you": Role.LISTENER, "analyst": Role.ANALYST, "admin": Role.ADMIN}
_PASSWORD_BYTES: Final = 9


class DemoAccount(NamedTuple):
    """An account that the demo has made."""

    name: str
    password: str
    role: Role


def make_demo_accounts(settings: Settings) -> list[DemoAccount]:
    """Make the accounts that are not there yet; return those whose passwords are known.

    An account of such a name that somebody else has made stays as it is.
    """
    path = settings.home / _FILE
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    there = {each["_id"] for each in run_with(settings.mongo, read_accounts)}
    new = [name for name in _NAMES if name not in there]
    for name in new:
        kept.setdefault(name, secrets.token_urlsafe(_PASSWORD_BYTES))
    _write(path, kept)
    for name in new:
        run_with(settings.mongo, _adding(name, kept[name], _NAMES[name]))
    return [DemoAccount(n, kept[n], role) for n, role in _NAMES.items() if n in kept]


def log_in_once(settings: Settings, name: str) -> Login:
    """Make an account that nobody else can use, and log in; see `leave_for_good`."""

    async def work(database: AsyncDatabase[Document]) -> Login:
        password = secrets.token_urlsafe()
        await add_account(database, name, password, Role.LISTENER, system_clock)
        return await open_login(database, name, system_clock, 1)

    return run_with(settings.mongo, work)


def leave_for_good(settings: Settings, name: str) -> None:
    """End the account of `log_in_once`."""
    run_with(settings.mongo, lambda database: close_account(database, name))


def _adding(
    name: str, password: str, role: Role
) -> Callable[[AsyncDatabase[Document]], Awaitable[None]]:
    return lambda database: add_account(database, name, password, role, system_clock)


def _write(path: Path, passwords: dict[str, str]) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(passwords, file)
    os.replace(new, path)
