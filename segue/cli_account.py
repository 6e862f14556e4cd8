"""The verbs about listeners' accounts."""

import time
import uuid
from typing import TYPE_CHECKING, Final

import click

from segue.errors import KafkaUnreachableError, LibraryError, StreamError
from segue.settings import Settings

if TYPE_CHECKING:
    from pymongo.database import Database

    from segue.events import PlaybackEvent
    from segue.store import Document

_LOOK_S: Final = 0.2
_NOTHING: Final = "-"


@click.group("account")
def account() -> None:
    """Delete what is kept of a listener."""


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

    Tokens go at once. Then an event asks the stream to take listens out of archive,
    history, tastes and lists, which it does with its next batch, and to leave out what
    comes again, such as an import of the same history. What stays: when panes of NAME
    began and how many messages were in them, the rule itself, and Kafka's messages for
    as long as the topic keeps them.
    """
    from segue import services, store
    from streaming.producer import Producer

    ready = services.with_endpoints(settings)
    database = store.connect(ready.mongo)
    _require_known(database, name)
    database[store.TOKENS].delete_many({"user_id": name})
    event = _everything(name)
    with Producer(ready.kafka, ready.home / "spool") as producer:
        producer.publish(event)
        if producer.n_spooled_bytes:
            raise KafkaUnreachableError(
                "Kafka is away: the request waits on disk, and goes out with the next "
                "event of any verb; start Kafka and delete again to see it done"
            )
    _wait_until_done(database, f"{name}|{event.event_id}", wait_s)
    click.echo(f"nothing of {name} is left in archive, history, tastes and lists")


def _require_known(database: "Database[Document]", name: str) -> None:
    from segue import store

    places = (store.TASTE_WINDOWS, store.LISTENS, store.TOKENS)
    if not any(database[place].find_one({"user_id": name}, ()) for place in places):
        raise LibraryError(f"nothing is known of a listener {name!r}; check the name")


def _everything(name: str) -> "PlaybackEvent":
    from segue.clock import system_clock
    from segue.events import Action, PlaybackEvent, Scope

    return PlaybackEvent(
        event_id=f"forgotten-{uuid.uuid4()}",
        user_id=name,
        track_id=_NOTHING,
        session_id=_NOTHING,
        play_id=_NOTHING,
        action=Action.FORGOTTEN,
        event_time=system_clock(),
        scope=Scope.EVERYTHING.value,
    )


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
