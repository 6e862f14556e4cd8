"""The verbs about tokens, by which programs speak for a listener."""

import json
from typing import TYPE_CHECKING

import click

from segue.errors import SettingsError
from segue.settings import Settings

if TYPE_CHECKING:
    from pymongo.database import Database

    from segue.store import Document

_JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")


@click.group("token")
def token() -> None:
    """Tokens for scrobblers and other programs that speak for a listener.

    A program that can send to ListenBrainz sends to Segue: its address is that of the
    dashboard, its token one of these.
    """


@token.command("create")
@click.argument("name")
@click.pass_obj
def token_create(settings: Settings, name: str) -> None:
    """Make a token for the listener NAME, and print it for the only time."""
    from segue.clock import system_clock
    from segue.listeners import is_listener
    from segue.tokens import create_token

    if not is_listener(name):
        raise SettingsError(
            f"{name!r} cannot name a listener; want 1 to 64 letters, digits, dots, "
            "dashes or underscores"
        )
    click.echo(create_token(_database(settings), name, system_clock))


@token.command("list")
@_JSON_OPTION
@click.pass_obj
def token_list(settings: Settings, as_json: bool) -> None:
    """List the tokens: the id to revoke each by, its listener, when it was made."""
    from segue.clock import rfc3339
    from segue.tokens import N_SHOWN, read_tokens

    rows = [
        {
            "id": found["_id"][:N_SHOWN],
            "listener": found["user_id"],
            "created_at": rfc3339(found["created_at"]),
        }
        for found in read_tokens(_database(settings))
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['created_at']}  {row['listener']}")


@token.command("revoke")
@click.argument("shown_id", metavar="ID")
@click.pass_obj
def token_revoke(settings: Settings, shown_id: str) -> None:
    """Take the token away that `segue token list` shows as ID, from this moment on."""
    from segue.tokens import revoke_token

    if not revoke_token(_database(settings), shown_id):
        raise SettingsError(f"no token has the id {shown_id!r}; see `segue token list`")
    click.echo(f"{shown_id} is revoked")


def _database(settings: Settings) -> "Database[Document]":
    from segue import indexes, services, store

    database = store.connect(services.with_mongo_if_any(settings).mongo)
    indexes.prepare(database)
    return database
