"""The verbs about listeners' accounts."""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

import click

from segue.errors import KafkaUnreachableError, LibraryError, StreamError
from segue.settings import Settings

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase
    from pymongo.database import Database

    from segue.store import Document

_T = TypeVar("_T")
_LOOK_S: Final = 0.2
_ROLES: Final = click.Choice(["listener", "analyst", "admin"])
_PASSWORD: Final = click.option(
    "--password-stdin",
    "from_stdin",
    is_flag=True,
    help="Read the password from standard input instead of asking for it.",
)


@click.group("account")
def account() -> None:
    """People who may use the web application, and what is kept of a listener."""


@account.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=_ROLES,
    default="listener",
    show_default=True,
    help="An analyst sees the analytics, too; an admin all that is everybody's.",
)
@_PASSWORD
@click.pass_obj
def account_add(settings: Settings, name: str, role: str, from_stdin: bool) -> None:
    """Make an account for NAME, which is the listener of that name.

    What was played under NAME before, by an import say, is theirs from then on.
    """
    from segue.accounts import add_account
    from segue.clock import system_clock
    from segue.roles import Role

    password = _read_password(from_stdin)
    _run(settings, lambda d: add_account(d, name, password, Role(role), system_clock))
    click.echo(f"{name} may log in, as {role}")


@account.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_obj
def account_list(settings: Settings, as_json: bool) -> None:
    """List the accounts: name, role, since when."""
    from segue.accounts import read_accounts
    from segue.clock import rfc3339

    rows = [
        {
            "name": found["_id"],
            "role": found["role"],
            "created_at": rfc3339(found["created_at"]),
        }
        for found in _run(settings, read_accounts)
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['role']:<8}  {row['created_at']}  {row['name']}")


@account.command("role")
@click.argument("name")
@click.argument("role", type=_ROLES)
@click.pass_obj
def account_role(settings: Settings, name: str, role: str) -> None:
    """Give NAME another role, from the next request on."""
    from segue.accounts import set_role
    from segue.roles import Role

    _run(settings, lambda database: set_role(database, name, Role(role)))
    click.echo(f"{name} is now {role}")


@account.command("password")
@click.argument("name")
@_PASSWORD
@click.pass_obj
def account_password(settings: Settings, name: str, from_stdin: bool) -> None:
    """Set another password for NAME, who has to log in again everywhere."""
    from segue.accounts import set_password

    password = _read_password(from_stdin)
    _run(settings, lambda database: set_password(database, name, password))
    click.echo(f"{name} has another password")


@account.command("delete")
@click.argument("name")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the stream to do it.",
)
@click.confirmation_option(prompt="All that NAME ever played is lost. Go on?")
@click.pass_obj
def account_delete(settings: Settings, name: str, wait_s: float) -> None:
    """Take all that the listener NAME played out, and what speaks for them.

    Account, log-ins and tokens go at once. Then an event asks the stream to take
    listens out of archive, history, tastes and lists, which it does with its next
    batch, and to leave out what comes again, such as an import of the same history.
    What stays: when panes of NAME began and how many messages were in them, the rule
    itself, and Kafka's messages for as long as the topic keeps them.
    """
    from segue import services, store
    from segue.accounts import close_account, farewell
    from segue.clock import system_clock
    from streaming.producer import Producer

    ready = services.with_endpoints(settings)
    database = store.connect(ready.mongo)
    _require_known(database, name)
    _run(ready, lambda each: close_account(each, name))
    event = farewell(name, system_clock)
    with Producer(ready.kafka, ready.home / "spool") as producer:
        producer.publish(event)
        if producer.n_spooled_bytes:
            raise KafkaUnreachableError(
                "Kafka is away: the request waits on disk, and goes out with the next "
                "event of any verb; start Kafka and delete again to see it done"
            )
    _wait_until_done(database, f"{name}|{event.event_id}", wait_s)
    click.echo(f"nothing of {name} is left in archive, history, tastes and lists")


def _run(
    settings: Settings,
    work: "Callable[[AsyncDatabase[Document]], Awaitable[_T]]",
) -> _T:
    """Do something with the accounts."""
    from segue import indexes, services, store
    from segue.accounts import run_with

    ready = services.with_mongo_if_any(settings)
    prepared = store.connect(ready.mongo)
    indexes.prepare(prepared)
    prepared.client.close()
    return run_with(ready.mongo, work)


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _require_known(database: "Database[Document]", name: str) -> None:
    from segue import store

    places = (store.TASTE_WINDOWS, store.LISTENS, store.TOKENS, store.PLAYLISTS)
    is_known = database[store.USERS].find_one(name, ()) is not None
    if not is_known and not any(
        database[place].find_one({"user_id": name}, ()) for place in places
    ):
        raise LibraryError(f"nothing is known of a listener {name!r}; check the name")


def _wait_until_done(
    database: "Database[Document]", rule_id: str, wait_s: float
) -> None:
    from segue import store

    deadline = time.monotonic() + wait_s
    done = {"_id": rule_id, "done_at": {"$ne": None}}
    while database[store.FORGETS].find_one(done, ()) is None:
        if time.monotonic() > deadline:
            raise StreamError(
                f"Kafka has the request, but no stream has done it within {wait_s:g} "
                "s; it is done as soon as one runs: `segue stream`"
            )
        time.sleep(_LOOK_S)
