"""What the stream does with a page's events, by the stream's own functions."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from segue import store
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent
from streaming.forget_rules import (
    is_forgotten,
    listens_under,
    read_new_rules,
    write_rules,
)
from streaming.listens import listen_document, write_documents
from streaming.said import forget_said, write_said
from tests.dashboard.site import Site, list_document
from tests.factories import create_event

NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)


def take(site: Site, action: Action) -> PlaybackEvent:
    """Wait for the page's next event of an action, and take it out."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        for event in site.sink.events:
            if event.action == action:
                site.sink.events.remove(event)
                return event
        time.sleep(0.02)
    raise AssertionError(f"no {action}, only {site.sink.actions()}")


def say(
    site: Site,
    action: Action,
    track_id: str,
    s: float = 0,
    scope: str | None = None,
    user_id: str = "ada",
) -> None:
    """Let somebody have said something of a track, some seconds after noon."""
    event = create_event(action, track_id, user_id, NOON + timedelta(seconds=s))
    stream(site, event._replace(scope=scope))


def stream(site: Site, *events: PlaybackEvent) -> None:
    """Write what events say, and take out what they want forgotten."""
    rows = [event._asdict() | {"source": None} for event in events]
    write_said(site.database, rows)
    if not write_rules(site.database, rows):
        return
    _, rules = read_new_rules(site.database)
    for user_id, held in rules.items():
        for rule in held:
            under = listens_under(user_id, rule)
            site.database[store.LISTENS].delete_many(under)
        forget_said(site.database, user_id, held)
    done = {"$set": {"done_at": system_clock()}}
    site.database[store.FORGETS].update_many({"done_at": None}, done)


def hear(site: Site, *events: PlaybackEvent, source: str | None = None) -> None:
    """Write listens."""
    rows: list[dict[str, Any]] = [e._asdict() | {"source": source} for e in events]
    assert not any(is_forgotten(row, {}) for row in rows)
    write_documents(site.database, map(listen_document, rows))


def follow(
    site: Site,
    event: PlaybackEvent,
    track_ids: list[str],
    left: list[str],
    came: list[str],
) -> None:
    """Write the list that follows an event, with what it changed."""
    names = ("event_id", "action", "track_id", "event_time")
    told = {name: getattr(event, name) for name in names}
    diff = {"left": left, "came": came, "event": told}
    document = list_document(event.user_id, track_ids) | {"diff": diff}
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
