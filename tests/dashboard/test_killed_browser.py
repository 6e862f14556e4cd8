"""A browser is killed: the next one tells what it played, with its own time."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Error, Playwright, sync_playwright

from segue.browser import BROWSER_FLAGS, find_browser
from tests.dashboard.listening import (
    expect_one_end_each,
    log_in,
    play,
    play_to,
    settle,
    show,
    told,
    wait_for,
)
from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


def _launch(playwright: Playwright, profile: Path) -> BrowserContext:
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=find_browser(), args=BROWSER_FLAGS
    )


def _kill(context: BrowserContext, profile: Path) -> None:
    """Kill the browser, which is the parent of all that run on its profile."""
    ours = f"--user-data-dir={profile}"
    (browser,) = (
        process
        for process in psutil.process_iter(["cmdline"])
        if ours in (line := process.info["cmdline"] or [])
        and not any(word.startswith("--type=") for word in line)
    )
    browser.kill()
    browser.wait(10)
    with contextlib.suppress(Error):
        context.close()


def test_the_play_of_a_killed_browser_ends_with_its_own_time(
    playwright: Playwright, site: Site, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    context = _launch(playwright, profile)
    log_in(context, site)
    page = context.new_page()
    show(page, site, "t0", "t1")
    play(page, 1)
    wait_for(site, "started")
    site.sink.is_away = True  # so that what is said now has to wait
    page.locator("body").press("l")
    play_to(page, 8)
    killed_at = datetime.now(UTC)
    _kill(context, profile)
    site.sink.is_away = False

    context = _launch(playwright, profile)
    log_in(context, site)
    page = context.new_page()
    page.wait_for_timeout(1000)  # time goes by before the listener returns
    show(page, site, "t0", "t1")
    end, liked = wait_for(site, "killed"), wait_for(site, "liked")
    settle(page)
    page.reload()
    settle(page)
    context.close()
    assert sorted(told(site)) == [("killed", "t0"), ("liked", "t0"), ("started", "t0")]
    expect_one_end_each(site)
    started = site.sink.events[0]
    assert end.play_id == started.play_id == liked.play_id
    assert end.action == "progressed"
    assert end.played_ms == pytest.approx(8000, abs=1600)
    assert killed_at - timedelta(seconds=2.5) < end.event_time <= killed_at
    assert started.event_time < liked.event_time < killed_at - timedelta(seconds=5)


def test_another_tab_tells_the_end_of_one_that_crashed(
    playwright: Playwright, site: Site, tmp_path: Path
) -> None:
    context = _launch(playwright, tmp_path / "profile")
    log_in(context, site)
    page = context.new_page()
    show(page, site, "t0", "t1")
    play(page, 1)
    play_to(page, 2)
    other = context.new_page()
    show(other, site, "t0", "t1")
    wait_for(site, "started")
    other.wait_for_function(  # it waits for the lock of what plays elsewhere
        "async () => (await navigator.locks.query()).pending.length === 1"
    )
    assert told(site) == [("started", "t0")]
    with contextlib.suppress(Error):
        page.goto("chrome://crash", timeout=3000)
    end = wait_for(site, "killed")
    settle(other)
    context.close()
    assert end.play_id == site.sink.events[0].play_id
    expect_one_end_each(site)
