"""Listening in a browser, by script, and what was told about it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, expect

from segue import store
from segue.events import Action, PlaybackEvent
from tests.dashboard.site import Site, list_document

WAIT_S: Final = 20.0
WAIT_MS: Final = 1000 * WAIT_S
DUE_MS: Final = 10_000
ENDS: Final = (Action.COMPLETED, Action.SKIPPED)


@contextmanager
def listener_page(browser: Browser, site: Site) -> Iterator[Page]:
    """Open a page of ada's whose network may fail; an error of a script does not."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    log_in(context, site)
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def log_in(context: BrowserContext, site: Site) -> None:
    for each in site.log_in().cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]


def show(page: Page, site: Site, *track_ids: str) -> None:
    """Open the first page with a list of recommendations."""
    document = list_document("ada", list(track_ids))
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    page.goto(f"{site.url}/")
    row = page.locator("#for-you [data-track-id]").first
    expect(row).to_have_attribute("data-track-id", track_ids[0], timeout=WAIT_MS)


def play(page: Page, place: int, of: str = "#for-you") -> None:
    page.locator(f"{of} li:nth-child({place}) [data-do=play]").click()
    expect_state(page, "playing")


def expect_state(page: Page, state: str) -> None:
    player = page.locator("#player")
    expect(player).to_have_attribute("data-state", state, timeout=WAIT_MS)


def play_to(page: Page, seconds: float) -> None:
    """Wait until the playhead has come that far."""
    page.wait_for_function("s => segue.player.now().atS >= s", arg=seconds)


def seek(page: Page, seconds: float) -> None:
    page.locator("#seek").evaluate(
        "(seek, to) => { seek.value = to; seek.dispatchEvent(new Event('change')); }",
        seconds,
    )


def sounded_ms(page: Page) -> int:
    """Return what the audio element itself says that it has played, in ms."""
    ranges = """() => {
      const { played } = segue.music.audio();
      let sum = 0;
      for (let n = 0; n < played.length; n += 1) sum += played.end(n) - played.start(n);
      return Math.round(1000 * sum);
    }"""
    return int(page.evaluate(ranges))


def told(site: Site) -> list[tuple[str, str]]:
    """Return each event as action, or how the page ended, and track, in their order.

    Without the progress that is due after ten seconds of music: on a slow machine a
    test takes longer than it means to.
    """
    seen: list[tuple[str, str]] = []
    last_ms: dict[str, int] = {}
    for event in list(site.sink.events):
        played_ms = event.played_ms or 0
        n_new = played_ms - last_ms.get(event.play_id, 0)
        last_ms[event.play_id] = played_ms
        if how_of(event) != "progressed" or n_new < DUE_MS:
            seen.append((how_of(event), event.track_id))
    return seen


def how_of(event: PlaybackEvent) -> str:
    end: Any = (event.source or {}).get("end")
    return event.action.value if end is None else str(end)


def wait_for(site: Site, how: str, n: int = 1) -> PlaybackEvent:
    """Wait for the `n`th event of a kind and return it."""
    found: list[PlaybackEvent] = []

    def is_there() -> bool:
        found[:] = [event for event in site.sink.events if how_of(event) == how]
        return len(found) >= n

    wait_until(is_there, lambda: f"no {n} of {how}, only {told(site)}")
    return found[n - 1]


def wait_until(is_so: Callable[[], bool], complaint: Callable[[], str]) -> None:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(complaint())


def expect_one_end_each(site: Site) -> None:
    """Nothing was told twice, and no play ended twice."""
    ids = [event.event_id for event in site.sink.events]
    assert len(set(ids)) == len(ids), told(site)
    ended = [
        event.play_id
        for event in site.sink.events
        if event.action in ENDS or "end" in (event.source or {})
    ]
    assert len(set(ended)) == len(ended)
    started = [e.play_id for e in site.sink.events if e.action == Action.STARTED]
    assert len(set(started)) == len(started)
    assert set(ended) <= set(started)


def heard_back(page: Page) -> None:
    """Wait until the page knows that all it told was taken.

    What it has not heard of when it goes away, the next page tells once more.
    """
    page.evaluate("() => segue.outbox.flush()")
    page.wait_for_function("() => !segue.outbox.waiting()", timeout=WAIT_MS)


def settle(page: Page) -> None:
    """Wait until the page has taken up what other pages left, and told all."""
    page.wait_for_function(
        """async () => {
          const left = await segue.vault.all("play.");
          const { session } = segue.plays;
          const mine = left.filter((event) => event.session_id === session);
          const farewells = Object.keys(segue.memory.recall("farewells", {}));
          const isTold = !farewells.length && !segue.outbox.waiting();
          return left.length === mine.length && isTold;
        }""",
        timeout=WAIT_MS,
    )
