"""Tracks that the browser cannot play, or not to their end."""

import io
import re
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, Route, expect

from segue import store
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
from tests.dashboard.site import Site

RATE_HZ = 48_000
WHOLE_MS = 12_000
HOLE_MS = 6_000
pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def listener(browser: Browser, site: Site) -> Iterator[Page]:
    with listener_page(browser, site) as page:
        yield page


def _break(site: Site, *names: str) -> None:
    for name in names:
        (site.library / f"{name}.wav").write_bytes(b"no audio at all " * 500)


def _put(site: Site, name: str, content: bytes, mime: str) -> None:
    """Give the track `t1` another file."""
    path = site.library / name
    path.write_bytes(content)
    told = {"path": str(path), "mime": mime, "duration_s": WHOLE_MS / 1000}
    site.database[store.TRACKS].update_one({"_id": "t1"}, {"$set": told})


def _sound(form: str, subtype: str) -> bytes:
    """Return twelve seconds of a chord with noise, which no codec makes small."""
    at = np.arange(WHOLE_MS * RATE_HZ // 1000) / RATE_HZ
    noise = np.random.default_rng(1).standard_normal(at.size)
    wave = 0.1 * np.sin(2 * np.pi * 300 * at) + 0.05 * noise
    file = io.BytesIO()
    soundfile.write(file, wave.astype(np.float32), RATE_HZ, subtype, format=form)
    return file.getvalue()


def _flac_with_a_hole() -> bytes:
    """Return a file of which a second in the middle is no audio."""
    whole = _sound("FLAC", "PCM_16")
    a = len(whole) * HOLE_MS // WHOLE_MS
    b = a + len(whole) * 1_000 // WHOLE_MS
    return whole[:a] + np.random.default_rng(3).bytes(b - a) + whole[b:]


def _press(page: Page, place: int) -> None:
    page.locator(f"#for-you li:nth-child({place}) [data-do=play]").click()


def test_what_cannot_be_played_is_asked_for_once_as_opus(
    listener: Page, site: Site
) -> None:
    asked: list[str] = []
    sound = (site.library / "track2.wav").read_bytes()
    _break(site, "track1")

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=sound, content_type="audio/wav")

    listener.route(re.compile(r"/media/t1\?form=opus$"), answer)
    show(listener, site, "t1", "t0")
    play(listener, 1)
    # the route answers only while the page is waited for
    listener.wait_for_function("() => segue.player.now().track.id === 't0'")
    listener.unroute_all()
    done = wait_for(site, "completed")
    assert done.track_id == "t1"
    assert done.played_ms == pytest.approx(4000, abs=400)
    assert len(asked) == 1


def test_what_cannot_be_played_at_all_is_said_and_left(
    listener: Page, site: Site
) -> None:
    _break(site, "track1")
    show(listener, site, "t1", "t0")
    _press(listener, 1)
    expect(listener.locator("#player-note")).to_have_text("“Sweep 1” cannot be played")
    expect_state(listener, "playing")
    wait_for(site, "started")
    assert told(site) == [("started", "t0")]  # nobody heard or skipped the broken one


def test_a_track_that_breaks_off_is_no_skip(listener: Page, site: Site) -> None:
    show(listener, site, "t0", "t1")
    play(listener, 1)
    play_to(listener, 1)
    _break(site, "track0")
    # as a browser that reads on: this address has not been kept yet
    listener.evaluate("segue.music.audio().src = '/media/t0?again'")
    wait_for(site, "broken")
    wait_for(site, "started", 2)
    assert told(site)[-2:] == [("broken", "t0"), ("started", "t1")]
    expect_one_end_each(site)


def test_a_hole_in_a_file_is_passed_over_by_the_server(
    listener: Page, site: Site
) -> None:
    _put(site, "hole.flac", _flac_with_a_hole(), "audio/flac")
    show(listener, site, "t1", "t0")
    play(listener, 1)
    listener.wait_for_function("() => segue.music.audio().src.endsWith('form=opus')")
    play_to(listener, HOLE_MS / 1000 + 2)
    done = wait_for(site, "completed")
    wait_for(site, "started", 2)
    assert done.track_id == "t1"
    assert done.played_ms == pytest.approx(WHOLE_MS, abs=400)  # nothing twice
    assert told(site) == [("started", "t1"), ("completed", "t1"), ("started", "t0")]
    expect_one_end_each(site)


def test_a_hole_in_a_file_that_nobody_can_pass_over_ends_the_play_once(
    listener: Page, site: Site
) -> None:
    _put(site, "hole.flac", _flac_with_a_hole(), "audio/flac")
    show(listener, site, "t1", "t0")
    play(listener, 1)
    play_to(listener, 1)
    # the browser has all of it by now; ffmpeg finds nothing any more
    (site.library / "hole.flac").write_bytes(b"no audio at all " * 500)
    broken = wait_for(site, "broken")
    expect(listener.locator("#player-note")).to_have_text("“Sweep 1” cannot be played")
    wait_for(site, "started", 2)
    expect_state(listener, "playing")
    assert told(site) == [("started", "t1"), ("broken", "t1"), ("started", "t0")]
    assert broken.action == "progressed"  # which judges nothing
    assert broken.played_ms is not None
    assert 1_000 <= broken.played_ms <= HOLE_MS + 500
    expect_one_end_each(site)


def test_a_file_that_was_cut_short_ends_where_it_is_cut(
    listener: Page, site: Site
) -> None:
    whole = _sound("OGG", "VORBIS")
    _put(site, "cut.ogg", whole[: len(whole) // 2], "audio/ogg")
    show(listener, site, "t1", "t0")
    play(listener, 1)
    done = wait_for(site, "completed")
    wait_for(site, "started", 2)
    assert told(site) == [("started", "t1"), ("completed", "t1"), ("started", "t0")]
    assert done.played_ms is not None
    assert 1_000 < done.played_ms < WHOLE_MS - 1_000
    expect_one_end_each(site)


def test_five_broken_tracks_in_a_row_stop_the_player(
    listener: Page, site: Site
) -> None:
    _break(site, *(f"track{number}" for number in range(6)))
    show(listener, site, "t0", "t1", "t2", "t3", "t4", "t5")
    _press(listener, 1)
    note = listener.locator("#player-note")
    expect(note).to_have_text("5 tracks in a row cannot be played", timeout=15_000)
    expect_state(listener, "empty")
    assert told(site) == []


def test_without_a_length_of_its_own_the_track_has_that_of_the_library(
    listener: Page, site: Site
) -> None:
    show(listener, site, "t0", "t1")
    play(listener, 1)
    length = (
        """() => segue.music.lengthS({ duration: Infinity }, { durationMs: 61000 })"""
    )
    assert listener.evaluate(length) == 61
    wait_for(site, "started")
