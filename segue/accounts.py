"""Accounts: who may use the web application, and as what.

A password is kept as its argon2id hash, a log-in as the SHA-256 of its token, which the
browser has. A name is the `user_id` of all that its listener plays.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, NamedTuple, TypeVar
from uuid import uuid4

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from segue import indexes, store
from segue.clock import Clock, system_clock
from segue.errors import AccountError
from segue.events import Action, PlaybackEvent, Scope
from segue.listeners import fold, is_listener
from segue.passwords import NOBODY, check_password, hash_password, is_outdated, verify
from segue.roles import Identity, Role
from segue.settings import MongoSettings
from segue.shown import delete_lists
from segue.store import Document
from segue.tokens import token_id

COOKIE: Final = "segue_login"
NAME_COOKIE: Final = "segue_name"
"""Tells the page's scripts who has logged in; nothing hangs on it."""
_TOKEN_BYTES: Final = 32
_NOTHING: Final = "-"
_TRACES: Final = (
    *(store.TASTE_WINDOWS, store.LISTENS, store.TOKENS, store.FORGETS),
    store.PLAYLISTS,
)
_T = TypeVar("_T")


class Login(NamedTuple):
    """What a browser gets when somebody logs in."""

    user_id: str
    token: str

    def cookies(self) -> list[dict[str, str]]:
        """Return name and value of the cookies by which a browser is logged in."""
        pairs = ((COOKIE, self.token), (NAME_COOKIE, self.user_id))
        return [{"name": name, "value": value} for name, value in pairs]


def run_with(
    settings: MongoSettings,
    work: Callable[[AsyncDatabase[Document]], Awaitable[_T]],
) -> _T:
    """Do something with the accounts, and wait for it, on an event loop of its own."""

    async def run() -> _T:
        database = store.connect_async(settings)
        try:
            return await work(database)
        finally:
            await database.client.close()

    # the caller's thread may run a loop already
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


async def add_account(
    database: AsyncDatabase[Document],
    name: str,
    password: str,
    role: Role,
    clock: Clock,
) -> None:
    """Make an account.

    Raises
    ------
    AccountError
        When the name or the password cannot be taken, or somebody has the name.
    """
    _check_name(name)
    check_password(name, password)
    document = {
        "_id": name,
        "folded": fold(name),
        "password": await hash_password(password),
        "role": role.value,
        "created_at": clock(),
    }
    users = database[store.USERS]
    # the web application may be the first to use this database
    await users.create_indexes(indexes.INDEXES[store.USERS])
    try:
        await users.insert_one(document)
    except DuplicateKeyError:
        raise _taken(name) from None


async def sign_up(
    database: AsyncDatabase[Document], name: str, password: str, clock: Clock
) -> None:
    """Make a listener's account for whoever asks for it.

    What was played under a name, by an import or a program, is for none but the one
    to whom an admin gives the account of that name; and what a name played before it
    was deleted stays forgotten, so it is not for use again.

    Raises
    ------
    AccountError
        As `add_account`.
    """
    _check_name(name)
    for place in _TRACES:
        if await database[place].find_one({"user_id": name}, ()):
            raise _taken(name)
    await add_account(database, name, password, Role.LISTENER, clock)


async def log_in(
    database: AsyncDatabase[Document],
    name: str,
    password: str,
    clock: Clock,
    days: int,
) -> Login:
    """Return a new log-in, which ends after `days`.

    Raises
    ------
    AccountError
        When there is no such account, or the password is another; one as slowly as
        the other.
    """
    account = await database[store.USERS].find_one({"folded": fold(name)})
    kept = NOBODY if account is None else str(account["password"])
    is_right = await verify(kept, password)
    if account is None or not is_right:
        raise AccountError("wrong_login", "no account has this name and this password")
    login = await open_login(database, account["_id"], clock, days)
    # it may have been changed meanwhile, which ends all log-ins of before
    is_same = {"_id": account["_id"], "password": kept}
    if await database[store.USERS].find_one(is_same, ()) is None:
        await log_out(database, login.token)
        raise AccountError("wrong_login", "the password has just been changed")
    if is_outdated(kept):
        anew = await hash_password(password)
        await database[store.USERS].update_one(is_same, {"$set": {"password": anew}})
    return login


async def open_login(
    database: AsyncDatabase[Document], user_id: str, clock: Clock, days: int
) -> Login:
    """Return a new log-in of somebody who has proved who they are."""
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), clock()
    login = {"_id": token_id(token), "user_id": user_id, "created_at": now}
    ends = {"expires_at": now + timedelta(days=days)}
    await database[store.LOGINS].insert_one(login | ends)
    return Login(user_id, token)


async def log_out(database: AsyncDatabase[Document], token: str) -> None:
    """End the log-in of a token."""
    await database[store.LOGINS].delete_one({"_id": token_id(token)})


async def identify(
    database: AsyncDatabase[Document], token: str, clock: Clock
) -> Identity | None:
    """Return whose log-in a token is; None where it is nobody's, or over."""
    running = {"_id": token_id(token), "expires_at": {"$gt": clock()}}
    login = await database[store.LOGINS].find_one(running)
    if login is None:
        return None
    account = await database[store.USERS].find_one(login["user_id"], ("role",))
    return None if account is None else Identity(account["_id"], Role(account["role"]))


async def identify_program(
    database: AsyncDatabase[Document], token: str
) -> Identity | None:
    """Return for which listener a program speaks, by its token of `segue token`."""
    found = await database[store.TOKENS].find_one(token_id(token))
    return None if found is None else Identity(found["user_id"], Role.LISTENER)


async def change_password(
    database: AsyncDatabase[Document], name: str, old: str, new: str
) -> None:
    """Set another password, and end all log-ins of the account.

    Raises
    ------
    AccountError
        When the old password is another, or the new one cannot be taken.
    """
    check_password(name, new)
    await require_password(database, name, old)
    await set_password(database, name, new)


async def require_password(
    database: AsyncDatabase[Document], name: str, password: str
) -> None:
    """Raise `AccountError` unless this is the account's password."""
    account = await database[store.USERS].find_one(name)
    kept = NOBODY if account is None else str(account["password"])
    if not await verify(kept, password):
        raise AccountError("wrong_password", "this is not the account's password")


async def set_password(
    database: AsyncDatabase[Document], name: str, password: str
) -> None:
    """Set a password without asking for the old one; all log-ins end."""
    check_password(name, password)
    kept = await hash_password(password)
    done = await database[store.USERS].update_one(
        {"_id": name}, {"$set": {"password": kept}}
    )
    if not done.matched_count:
        raise _unknown(name)
    await database[store.LOGINS].delete_many({"user_id": name})


async def set_role(database: AsyncDatabase[Document], name: str, role: Role) -> None:
    """Give an account another role, from its next request on."""
    done = await database[store.USERS].update_one(
        {"_id": name}, {"$set": {"role": role.value}}
    )
    if not done.matched_count:
        raise _unknown(name)


async def read_accounts(database: AsyncDatabase[Document]) -> list[Document]:
    """Return name, role and age of all accounts, by name."""
    fields = ("role", "created_at")
    return await database[store.USERS].find({}, fields).sort("_id").to_list()


async def close_account(database: AsyncDatabase[Document], name: str) -> None:
    """Take away all by which somebody may ask in this name, and what is theirs.

    What they played and like goes with their `farewell`.
    """
    theirs = (store.LOGINS, store.TOKENS, store.PLAYLISTS)
    # the account last: who is cut off in between can log in and end it again
    for place in theirs:
        await database[place].delete_many({"user_id": name})
    await database[store.USERS].delete_one({"_id": name})
    # what another tab has made meanwhile, too
    for place in theirs:
        await database[place].delete_many({"user_id": name})
    # who notes a list that was shown looks for the account afterwards
    await delete_lists(database, name, system_clock)


def farewell(name: str, clock: Clock) -> PlaybackEvent:
    """Return the event by which the stream forgets all that a listener played."""
    return PlaybackEvent(
        event_id=f"forgotten-{uuid4()}",
        user_id=name,
        track_id=_NOTHING,
        session_id=_NOTHING,
        play_id=_NOTHING,
        action=Action.FORGOTTEN,
        event_time=clock(),
        scope=Scope.EVERYTHING.value,
    )


def _check_name(name: str) -> None:
    if not is_listener(name):
        raise AccountError(
            "bad_name",
            "a name has 1 to 64 letters, digits, dots, dashes or underscores",
        )


def _taken(name: str) -> AccountError:
    return AccountError("name_taken", f"the name {name!r} is taken; choose another")


def _unknown(name: str) -> AccountError:
    return AccountError("unknown_account", f"there is no account {name!r}")
