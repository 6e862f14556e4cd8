"""See one skip change a list: in MongoDB, and on the page in a real browser."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from pymongo.collection import Collection

from segue import store
from segue.browser import BROWSER_FLAGS, find_browser
from segue.clock import rfc3339, system_clock
from segue.demo_accounts import leave_for_good, log_in_once
from segue.errors import CheckFailedError
from segue.events import Action, PlaybackEvent
from segue.settings import Settings
from segue.store import Document
from segue.track_index import read_track_index
from streaming.producer import Producer

Report = Callable[[str], None]

# the first list after a cold start on a busy machine takes most of it
_TIMEOUT_S: Final = 90.0
_POLL_S: Final = 0.02
_N_SEEDS: Final = 3
_DURATION_MS: Final = 45_000
_READ_LIST: Final = """() => {
  const list = document.querySelector('#for-you');
  const rows = list ? [...list.querySelectorAll('[data-track-id]')] : [];
  return {at: list && list.dataset.updatedAt,
          ids: rows.map(row => row.dataset.trackId)};
}"""


def check_one_skip(settings: Settings, url: str, report: Report) -> None:
    """Publish plays, then a skip, and see the list follow each time.

    Raises
    ------
    CheckFailedError
        When the list in MongoDB or on the page does not follow in time.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # a dev dependency

    listener = f"check-{uuid4().hex[:8]}"
    database = store.connect(settings.mongo)
    lists = database[store.RECOMMENDATIONS]
    seeds = read_track_index(settings.home / "index").track_ids[:_N_SEEDS]
    with (
        database.client,
        Producer(settings.kafka, settings.home / "spool") as producer,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=BROWSER_FLAGS
        )
        page = browser.new_page()
        for each in log_in_once(settings, listener).cookies():
            cookie = {"name": each["name"], "value": each["value"], "url": url}
            page.context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(url)
        heard = _plays(listener, seeds, Action.COMPLETED)
        before = _publish_and_follow("listen", producer, heard, lists, page, report)
        skip = _plays(listener, before[:1], Action.SKIPPED)
        after = _publish_and_follow("skip", producer, skip, lists, page, report)
        browser.close()
    leave_for_good(settings, listener)
    if before == after:
        raise CheckFailedError("the list stands as it stood before the skip")
    report(f"skipped {before[0]}: {_n_moved(before, after)} of {len(after)} rows moved")


def _plays(listener: str, track_ids: list[str], end: Action) -> list[PlaybackEvent]:
    """Return the two events of a play of each track, the last of them now."""
    now = system_clock()
    played_ms = _DURATION_MS if end is Action.COMPLETED else 2_000
    events = []
    for number, track_id in enumerate(reversed(track_ids)):
        ended_at = now - timedelta(milliseconds=number * _DURATION_MS)
        play_id = uuid4().hex
        for action, at, heard_ms in (
            (Action.STARTED, ended_at - timedelta(milliseconds=played_ms), 0),
            (end, ended_at, played_ms),
        ):
            events.append(
                PlaybackEvent(
                    event_id=uuid4().hex,
                    user_id=listener,
                    track_id=track_id,
                    session_id=listener,
                    play_id=play_id,
                    action=action,
                    event_time=at,
                    played_ms=heard_ms,
                    duration_ms=_DURATION_MS,
                    source={"surface": "simulator"},
                )
            )
    return events


def _publish_and_follow(
    name: str,
    producer: Producer,
    events: list[PlaybackEvent],
    lists: Collection[Document],
    page: Any,
    report: Report,
) -> list[str]:
    """Publish, wait for the list in MongoDB and on the page; return its track ids."""
    newest_at = max(event.event_time for event in events)
    newest_at = newest_at.replace(microsecond=newest_at.microsecond // 1000 * 1000)
    start = time.monotonic()
    producer.publish(*events)
    report(f"{name}: in Kafka after {time.monotonic() - start:.2f} s")
    stored: list[str] = _wait_for(
        lambda: _stored_ids(lists, events[0].user_id, newest_at),
        f"no list in MongoDB reflects the {name}",
    )
    report(f"{name}: list in MongoDB after {time.monotonic() - start:.2f} s")
    _wait_for(
        lambda: page.evaluate(_READ_LIST) == {"at": rfc3339(newest_at), "ids": stored},
        f"the page does not show the list that follows the {name}",
    )
    report(f"{name}: list on the page after {time.monotonic() - start:.2f} s")
    return stored


def _stored_ids(
    lists: Collection[Document], listener: str, newest_at: datetime
) -> list[str] | None:
    found = lists.find_one({"_id": listener, "newest_event_at": newest_at})
    return None if found is None else [item["track_id"] for item in found["items"]]


def _wait_for(look: Callable[[], Any], failure: str) -> Any:
    deadline = time.monotonic() + _TIMEOUT_S
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise CheckFailedError(f"{failure} after {_TIMEOUT_S:.0f} s")
        time.sleep(_POLL_S)
    return seen


def _n_moved(before: list[str], after: list[str]) -> int:
    return sum(
        track_id not in before or before.index(track_id) != place
        for place, track_id in enumerate(after)
    )
