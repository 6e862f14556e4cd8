"""What headphones, keyboards and lock screens show, and what their keys do.

The browser's own session is used; a script before the page notes what it is told, for
nothing outside a browser can press a key of headphones.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.listening import (
    expect_one_end_each,
    expect_state,
    listener_page,
    play,
    play_to,
    show,
    told,
    wait_for,
)
from tests.dashboard.site import LONG_S, Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
NOTE = """() => {
  const session = navigator.mediaSession;
  const { setActionHandler, setPositionState } = session;
  window.keys = {};
  window.places = [];
  session.setActionHandler = (name, react) => {
    setActionHandler.call(session, name, react);
    keys[name] = react;
  };
  session.setPositionState = (place) => {
    setPositionState.call(session, place);
    places.push(place);
  };
}"""


@pytest.fixture
def listener(browser: Browser, site: Site) -> Iterator[Page]:
    with listener_page(browser, site) as page:
        page.add_init_script(f"({NOTE})()")
        show(page, site, "t0", "t1", "t2")
        yield page


def press(page: Page, key: str, **details: float) -> None:
    page.evaluate(
        "([action, details]) => { keys[action]({ action, ...details }); }",
        [key, details],
    )


def shown(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        """() => {
          const { metadata, playbackState } = navigator.mediaSession;
          const { title, artist, album, artwork } = metadata || {};
          return { title, artist, album, playbackState, cover: artwork?.[0].src };
        }"""
    )
    return found


def expect_shown(page: Page, site: Site, number: int, state: str) -> None:
    page.wait_for_function(
        "title => navigator.mediaSession.metadata?.title === title",
        arg=f"Sweep {number}",
    )
    assert shown(page) == {
        "title": f"Sweep {number}",
        "artist": f"Artist {number // 2}",
        "album": "Sines",
        "playbackState": state,
        "cover": f"{site.url}/covers/t{number}",
    }


def test_what_plays_is_shown_with_its_cover(listener: Page, site: Site) -> None:
    assert shown(listener)["playbackState"] == "none"
    assert shown(listener)["title"] is None
    play(listener, 1)
    expect_shown(listener, site, 0, "playing")
    cover = site.ask("/covers/t0")
    assert (cover.status, cover.headers["content-type"]) == (200, "image/svg+xml")
    listener.wait_for_function("() => places.length")
    (place, *_) = listener.evaluate("places")
    assert place["duration"] == LONG_S
    assert place["position"] < 5
    listener.get_by_label("Pause").click()
    expect_state(listener, "paused")
    expect_shown(listener, site, 0, "paused")


def test_keys_play_and_pause(listener: Page, site: Site) -> None:
    press(listener, "play")  # the first of the page
    expect_state(listener, "playing")
    expect_shown(listener, site, 0, "playing")
    press(listener, "play")  # it plays already
    play_to(listener, 0.5)
    expect_state(listener, "playing")
    for key in ("pause", "stop"):
        press(listener, key)
        expect_state(listener, "paused")
        press(listener, key)
        expect_state(listener, "paused")
        press(listener, "play")
        expect_state(listener, "playing")
    assert "skipped" not in site.sink.actions()


def test_keys_go_to_the_next_and_the_previous_track(listener: Page, site: Site) -> None:
    play(listener, 1)
    play_to(listener, 0.5)
    press(listener, "nexttrack")
    expect_shown(listener, site, 1, "playing")
    play_to(listener, 0.3)
    press(listener, "previoustrack")
    expect_shown(listener, site, 0, "playing")
    wait_for(site, "started", 3)
    assert told(site) == [
        ("started", "t0"),
        ("skipped", "t0"),
        ("started", "t1"),
        ("skipped", "t1"),
        ("started", "t0"),
    ]
    expect_one_end_each(site)


def test_keys_seek_and_what_is_jumped_over_is_not_heard(
    listener: Page, site: Site
) -> None:
    play(listener, 1)
    play_to(listener, 1)
    press(listener, "seekto", seekTime=100)
    play_to(listener, 100.2)
    press(listener, "seekforward", seekOffset=20)
    play_to(listener, 120)
    press(listener, "seekforward")
    play_to(listener, 130)
    press(listener, "seekbackward", seekOffset=50)
    press(listener, "seekbackward")
    listener.wait_for_function("() => segue.player.now().atS < 90")
    assert listener.evaluate("segue.player.now().atS") > 65
    place = listener.evaluate("places.at(-1)")
    assert 65 < place["position"] < 90
    press(listener, "seekto", seekTime=1e9)
    done = wait_for(site, "completed")
    assert done.track_id == "t0"
    assert done.played_ms is not None
    assert done.played_ms < 30_000
    expect(listener.locator("#now-title")).to_have_text("Sweep 1")
