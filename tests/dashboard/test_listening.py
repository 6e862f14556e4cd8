"""A listen by script gives exactly its events: no more, no less."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from segue.clock import rfc3339
from tests.dashboard.listening import (
    ENDS,
    expect_one_end_each,
    expect_state,
    heard_back,
    listener_page,
    play,
    play_to,
    seek,
    settle,
    show,
    sounded_ms,
    told,
    wait_for,
)
from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
NEAR_MS = 400


@pytest.fixture
def listener(browser: Browser, site: Site) -> Iterator[Page]:
    with listener_page(browser, site) as page:
        yield page


def test_seven_seconds_a_seek_a_pause_a_skip_a_whole_track_and_a_closed_tab(
    listener: Page, site: Site
) -> None:
    show(listener, site, "t0", "t1", "t2")
    play(listener, 1)
    play_to(listener, 7)
    seek(listener, 100)
    wait_for(site, "progressed")
    play_to(listener, 101)
    listener.get_by_label("Pause").click()
    expect_state(listener, "paused")
    sounded = sounded_ms(listener)
    heard_back(listener)
    paused = site.sink.events[-1]
    listener.locator("#player").get_by_label("Play").click()
    play_to(listener, 102.5)
    listener.get_by_label("Next track").click()
    wait_for(site, "completed")
    wait_for(site, "started", 3)
    heard_back(listener)
    other = listener.context.new_page()
    listener.close()
    wait_for(site, "closed")
    show(other, site, "t0")
    settle(other)
    assert told(site) == [
        ("started", "t0"),
        ("progressed", "t0"),
        ("progressed", "t0"),
        ("skipped", "t0"),
        ("started", "t1"),
        ("completed", "t1"),
        ("started", "t2"),
        ("closed", "t2"),
    ]
    expect_one_end_each(site)
    (skipped, completed) = (e for e in site.sink.events if e.action in ENDS)
    closed = site.sink.events[-1]
    assert 8_000 < sounded < 40_000  # what was jumped over did not sound
    assert paused.action == "progressed"
    assert paused.played_ms == pytest.approx(sounded, abs=NEAR_MS)
    assert skipped.played_ms is not None
    assert sounded + 500 < skipped.played_ms < sounded + 6000
    assert completed.played_ms == pytest.approx(4000, abs=NEAR_MS)
    assert closed.action == "progressed"
    assert closed.source is not None
    assert (closed.source["surface"], closed.source["rank"]) == ("player", 3)
    times = [event.event_time for event in site.sink.events]
    assert times == sorted(times)


def test_a_reload_ends_the_play_and_pressing_play_begins_another(
    listener: Page, site: Site
) -> None:
    show(listener, site, "t0", "t1")
    play(listener, 1)
    play_to(listener, 3)
    heard_back(listener)
    listener.reload()
    closed = wait_for(site, "closed")
    expect_state(listener, "paused")
    expect(listener.locator("#now-title")).to_have_text("Sweep 0")
    play_to(listener, 2.5)  # it is where it was
    assert listener.evaluate("segue.player.now().atS") < 6
    settle(listener)
    listener.locator("#player").get_by_label("Play").click()
    started = wait_for(site, "started", 2)
    listener.get_by_label("Next track").click()
    skipped = wait_for(site, "skipped")
    assert told(site)[:4] == [
        ("started", "t0"),
        ("closed", "t0"),
        ("started", "t0"),
        ("skipped", "t0"),
    ]
    assert closed.played_ms == pytest.approx(3000, abs=1500)
    assert started.play_id != closed.play_id
    assert skipped.play_id == started.play_id
    assert skipped.played_ms is not None
    assert skipped.position_ms is not None
    assert skipped.position_ms - skipped.played_ms > 2000
    expect_one_end_each(site)


def test_a_reload_while_paused_ends_the_play_too(listener: Page, site: Site) -> None:
    show(listener, site, "t0", "t1")
    play(listener, 1)
    play_to(listener, 1)
    listener.get_by_label("Pause").click()
    wait_for(site, "progressed")
    heard_back(listener)
    listener.reload()
    wait_for(site, "closed")
    listener.reload()
    settle(listener)
    assert [how for how, _ in told(site)] == ["started", "progressed", "closed"]


def test_what_happens_without_a_network_is_told_when_it_is_back(
    listener: Page, site: Site
) -> None:
    show(listener, site, "t0", "t1")
    play(listener, 1)
    play_to(listener, 2)
    listener.context.set_offline(True)
    listener.get_by_label("Pause").click()
    listener.locator("#player").get_by_label("Play").click()
    play_to(listener, 3)
    listener.locator("body").press("l")
    listener.get_by_label("Pause").click()
    listener.wait_for_function(
        "() => segue.outbox.waiting() === 2"
    )  # one progress, one like
    listener.get_by_label("Next track").click()
    expect(listener.locator("#player-note")).to_contain_text("does not come through")
    assert told(site) == [("started", "t0")]
    returned = listener.evaluate("new Date().toISOString()")
    listener.context.set_offline(False)
    wait_for(site, "started", 2)
    wait_for(site, "skipped")
    assert sorted(told(site)[:4]) == [
        ("liked", "t0"),
        ("progressed", "t0"),
        ("skipped", "t0"),
        ("started", "t0"),
    ]
    assert told(site)[4:] == [("started", "t1")]
    assert all(rfc3339(e.event_time) < returned for e in site.sink.events[:4])
    expect_one_end_each(site)


def test_a_tab_closed_without_a_network_is_told_by_the_next(
    listener: Page, site: Site
) -> None:
    show(listener, site, "t0", "t1")
    play(listener, 1)
    play_to(listener, 2)
    heard_back(listener)
    context = listener.context
    context.set_offline(True)
    listener.close()
    context.set_offline(False)
    assert told(site) == [("started", "t0")]
    other = context.new_page()
    show(other, site, "t0", "t1")
    closed = wait_for(site, "closed")
    settle(other)
    assert closed.played_ms == pytest.approx(2000, abs=1500)
    expect_one_end_each(site)


def test_a_page_that_went_before_it_was_answered_is_told_of_again_by_the_same_ids(
    listener: Page, site: Site
) -> None:
    def swallow(route: Route) -> None:
        route.fetch()
        listener.close()

    show(listener, site, "t0")
    other = listener.context.new_page()
    listener.route("**/api/events", swallow)
    with listener.expect_event("close"):
        listener.locator("#for-you li:nth-child(1) [data-do=play]").click()
    wait_for(site, "started")
    show(other, site, "t0")
    again = wait_for(site, "started", 2)
    settle(other)
    assert again == site.sink.events[0]


def test_a_log_out_ends_the_play(listener: Page, site: Site) -> None:
    show(listener, site, "t0", "t1")
    play(listener, 1)
    play_to(listener, 1)
    listener.get_by_role("link", name="ada").click()
    listener.get_by_role("button", name="Log out").click()
    expect(listener.get_by_role("button", name="Log in")).to_be_visible()
    assert [how for how, _ in told(site)] == ["started", "closed"]
    expect_one_end_each(site)


def test_the_outbox_when_full_gives_up_progress_first(
    listener: Page, site: Site
) -> None:
    site.sink.is_away = True
    show(listener, site, "t0")
    kept = listener.evaluate(
        """() => {
          const event = (n, action) => ({
            schema: 1, event_id: `e${n}`, user_id: "ada", track_id: "t0", action,
            session_id: "s", play_id: `p${n}`, event_time: new Date().toISOString(),
          });
          const old = [...Array(1999).keys()].map((n) => event(n, "progressed"));
          const waiting = JSON.stringify([event(-1, "liked"), ...old]);
          localStorage.setItem("segue.outbox", waiting);
          segue.outbox.add(event(5000, "skipped"));
          segue.outbox.add(event(5001, "progressed"));
          segue.outbox.add(event(5001, "progressed"));
          const left = JSON.parse(localStorage.getItem("segue.outbox"));
          return [left.length, ...[0, 1, -2].map((at) => left.at(at).event_id)];
        }"""
    )
    assert kept == [2000, "e-1", "e2", "e5000"]
