"""The queue, the station after it, and the drawer that shows both."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from segue import store
from tests.dashboard.listening import (
    WAIT_MS,
    expect_state,
    listener_page,
    play,
    show,
    told,
    wait_for,
)
from tests.dashboard.site import Site, list_document

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def listener(browser: Browser, site: Site) -> Iterator[Page]:
    with listener_page(browser, site) as page:
        show(page, site, "t0", "t1", "t2")
        yield page


def _queue(page: Page) -> Locator:
    return page.locator("#queue-next .title")


def _ahead(page: Page) -> Locator:
    return page.locator("#queue-ahead .title")


def _search(page: Page, text: str) -> None:
    page.locator("a.nav", has_text="Search").click()
    page.get_by_label("Search", exact=True).fill(text, timeout=WAIT_MS)


def _menu(page: Page, track_id: str, entry: str) -> None:
    if not page.locator("#found").count():
        _search(page, "sweep")
    page.locator(f"#found [data-track-id={track_id}] [data-do=menu]").click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def _queue_three(page: Page) -> None:
    play(page, 1)
    for track_id in ("t3", "t4", "t5"):
        _menu(page, track_id, "Add to queue")
    page.locator("#player").get_by_label("Queue").click()
    expect(_queue(page)).to_have_text(["Sweep 3", "Sweep 4", "Sweep 5"])


def test_the_queue_comes_before_the_station(listener: Page, site: Site) -> None:
    play(listener, 1)
    _menu(listener, "t3", "Add to queue")
    _menu(listener, "t5", "Play next")
    listener.locator("body").press("q")
    expect(_queue(listener)).to_have_text(["Sweep 5", "Sweep 3"])
    expect(_ahead(listener)).to_have_text(["Sweep 1", "Sweep 2"])
    expect(listener.locator("#queue-ahead-title")).to_have_text("Next from For you")
    for _ in range(3):
        listener.get_by_label("Next track").click()
        wait_for(site, "skipped", _ + 1)
        wait_for(site, "started", _ + 2)
    started = [track for how, track in told(site) if how == "started"]
    assert started == ["t0", "t5", "t3", "t1"]


def test_rows_move_by_keyboard_with_their_focus(listener: Page) -> None:
    _queue_three(listener)
    down = listener.get_by_label("Move Sweep 3 down")
    down.focus()
    listener.keyboard.press("Enter")
    expect(_queue(listener)).to_have_text(["Sweep 4", "Sweep 3", "Sweep 5"])
    expect(down).to_be_focused()
    listener.keyboard.press("Alt+ArrowDown")
    expect(_queue(listener)).to_have_text(["Sweep 4", "Sweep 5", "Sweep 3"])
    focused = "document.activeElement.closest('.queue-row').textContent"
    assert "Sweep 3" in listener.evaluate(focused)
    said = listener.locator("#queue-said")
    expect(said).to_have_text("Sweep 3 is now 3 of 3")
    assert said.get_attribute("aria-live") == "polite"
    listener.get_by_label("Remove Sweep 5 from the queue").press("Enter")
    expect(_queue(listener)).to_have_text(["Sweep 4", "Sweep 3"])
    assert "Sweep 3" in listener.evaluate(focused)
    listener.keyboard.press("Escape")
    expect(listener.locator("#queue")).to_be_hidden()
    expect(listener.locator("#player [data-do=queue]")).to_be_focused()


def _box(row: Locator) -> tuple[float, float]:
    box: Any = row.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_rows_move_by_drag(listener: Page) -> None:
    _queue_three(listener)
    grips = listener.locator("#queue-next .grip")
    listener.mouse.move(*_box(grips.nth(2)))
    listener.mouse.down()
    x, y = _box(grips.nth(0))
    listener.mouse.move(x, y + 60, steps=5)
    listener.mouse.move(x, y - 10, steps=5)
    listener.mouse.up()
    expect(_queue(listener)).to_have_text(["Sweep 5", "Sweep 3", "Sweep 4"])
    planned = "segue.player.plan().items.map((item) => item.track.id)"
    assert listener.evaluate(planned) == ["t5", "t3", "t4"]


def test_one_further_down_is_played_now_and_the_rest_can_be_cleared(
    listener: Page, site: Site
) -> None:
    _queue_three(listener)
    listener.locator("#queue-next").get_by_label("Play Sweep 4").click()
    wait_for(site, "skipped")
    expect(listener.locator("#now-title")).to_have_text("Sweep 4")
    expect(_queue(listener)).to_have_text(["Sweep 5"])
    listener.get_by_role("button", name="Clear").click()
    expect(_queue(listener)).to_have_count(0)
    expect(listener.locator("#queue-title")).to_be_focused()


def test_a_new_list_changes_what_comes_next_on_any_page(
    listener: Page, site: Site
) -> None:
    play(listener, 1)
    listener.locator("body").press("q")
    expect(_ahead(listener)).to_have_text(["Sweep 1", "Sweep 2"])
    listener.get_by_role("link", name="Search").click()
    expect(listener.locator("h1")).to_have_text("Search")
    element = "segue.music.audio().dataset.address"
    before = listener.evaluate(element)
    started = time.monotonic()
    changed = list_document("ada", ["t4", "t0", "t2"])
    store.upsert(site.database, store.RECOMMENDATIONS, [changed])
    expect(_ahead(listener)).to_have_text(["Sweep 4", "Sweep 2"])
    assert time.monotonic() - started < 2
    assert listener.evaluate(element) == before == "/media/t0"
    expect_state(listener, "playing")
    assert told(site) == [("started", "t0")]


def test_a_preloaded_track_that_is_no_longer_next_is_dropped(
    listener: Page, site: Site
) -> None:
    play(listener, 2)
    loaded = """() => performance.getEntriesByType("resource")
      .some((each) => each.name.endsWith("/media/t0"))"""
    listener.wait_for_function(loaded)
    store.upsert(
        site.database, store.RECOMMENDATIONS, [list_document("ada", ["t5", "t0"])]
    )
    wait_for(site, "completed")
    wait_for(site, "started", 2)
    assert told(site) == [("started", "t1"), ("completed", "t1"), ("started", "t5")]


def test_a_station_of_its_own_goes_on_after_the_queue(
    listener: Page, site: Site
) -> None:
    play(listener, 1)
    listener.evaluate(
        """() => segue.player.setStation({
          name: "Radio: Sweep 4",
          more: async () => ["t4", "t5"].map((id) => ({
            from: "radio",
            track: { id, title: `Sweep ${id[1]}`, durationMs: 4000 },
            source: { surface: "radio", organic: false },
          })),
        })"""
    )
    listener.locator("body").press("q")
    expect(listener.locator("#queue-ahead-title")).to_have_text(
        "Next from Radio: Sweep 4"
    )
    expect(_ahead(listener)).to_have_text(["Sweep 4", "Sweep 5"])
    listener.get_by_label("Next track").click()
    started = wait_for(site, "started", 2)
    assert (started.track_id, (started.source or {})["surface"]) == ("t4", "radio")
    expect(_ahead(listener)).to_have_text(["Sweep 5"])


def test_repeat_one_plays_again_and_repeat_all_goes_round(
    listener: Page, site: Site
) -> None:
    _search(listener, "sweep 3")
    expect(listener.locator("#found [data-track-id]")).to_have_count(1)
    repeat = listener.locator("#player [data-do=repeat]")
    repeat.click()
    expect(repeat).to_have_attribute("aria-label", "Repeat: all")
    play(listener, 1, of="#found")
    wait_for(site, "completed")
    wait_for(site, "started", 2)
    repeat.click()
    expect(repeat).to_have_attribute("aria-label", "Repeat: this track")
    wait_for(site, "completed", 2)
    wait_for(site, "started", 3)
    repeat.click()
    expect(repeat).to_have_attribute("aria-pressed", "false")
    wait_for(site, "completed", 3)
    wait_for(site, "started", 4)
    started = [track for how, track in told(site) if how == "started"]
    assert started == ["t3", "t3", "t3", "t0"]  # and then the station


def test_a_round_goes_on_without_asking_the_station(listener: Page, site: Site) -> None:
    _search(listener, "sweep")
    rows = listener.locator("#found [data-track-id]")
    expect(rows).to_have_count(6)
    listener.locator("#player [data-do=repeat]").click()
    play(listener, 6, of="#found")
    wait_for(site, "started")
    first = rows.first.get_attribute("data-track-id")
    at_once = "() => { segue.player.next(); return segue.player.now().track.id; }"
    assert listener.evaluate(at_once) == first


def test_a_full_queue_says_so(listener: Page) -> None:
    play(listener, 1)
    fill = "() => segue.player.enqueue(Array(499).fill(segue.player.item()))"
    listener.evaluate(fill)
    note = listener.locator("#player-note")
    _menu(listener, "t3", "Add to queue")
    expect(note).to_have_text("Added to the queue")
    _menu(listener, "t4", "Add to queue")
    expect(note).to_have_text("The queue is full: it holds 500")


def test_shuffle_mixes_what_is_left_and_gives_its_order_back(listener: Page) -> None:
    orders = listener.evaluate(
        """() => {
          const { queue } = segue;
          const list = [...Array(40).keys()].map((n) => ({ track: { id: `t${n}` } }));
          const ids = ({ items }) => items.map((each) => +each.track.id.slice(1));
          const [first, plain] = queue.from(queue.empty, list, 9);
          const [, left] = queue.take(queue.shuffle(plain, true));
          const mine = queue.enqueue(left, [{ track: { id: "t99" } }], { next: true });
          const [, all] = queue.from(queue.shuffle(queue.empty, true), list, 9);
          const back = (each) => ids(queue.shuffle(each, false));
          return [first.track.id, ids(plain), ids(left), back(left),
            ids(mine)[0], back(mine)[0], ids(all)];
        }"""
    )
    first, plain, left, back, by_hand, still_first, everything = orders
    assert first == "t9"
    assert plain == list(range(10, 40))
    assert left != sorted(left)
    assert back == sorted(left)
    assert len(left) == 29
    assert (by_hand, still_first) == (99, 99)
    assert everything != sorted(everything)
    assert sorted(everything) == [n for n in range(40) if n != 9]


def test_a_reload_keeps_queue_volume_shuffle_and_repeat(listener: Page) -> None:
    _queue_three(listener)
    listener.locator("h1").click()
    listener.locator("body").press("Shift+ArrowDown")
    listener.locator("body").press("m")
    listener.locator("#player [data-do=shuffle]").click()
    listener.locator("#player [data-do=repeat]").click()
    before = _queue(listener).all_inner_texts()
    listener.reload()
    expect_state(listener, "paused")
    listener.locator("#player").get_by_label("Queue").click()
    expect(_queue(listener)).to_have_text(before)
    expect(listener.locator("#player [data-do=shuffle]")).to_have_attribute(
        "aria-label", "Shuffle: on"
    )
    expect(listener.locator("#player [data-do=repeat]")).to_have_attribute(
        "aria-label", "Repeat: all"
    )
    expect(listener.locator("#player [data-do=mute]")).to_have_attribute(
        "aria-pressed", "true"
    )
    sound = "[segue.music.audio().muted, segue.music.audio().volume]"
    assert listener.evaluate(sound) == [True, 0.95]
    listener.locator("#player [data-do=mute]").click()
    assert listener.evaluate(sound) == [False, 0.95]


def test_the_list_of_shortcuts_opens_by_key_and_switches_them_off(
    listener: Page,
) -> None:
    listener.locator("body").press("?")
    dialog = listener.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Shortcuts are on").uncheck()
    listener.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    listener.locator("body").press("q")
    listener.reload()
    listener.locator("body").press("q")
    expect(listener.locator("#queue")).to_be_hidden()
    listener.locator("#player").get_by_label("Queue").click()
    expect(listener.locator("#queue")).to_be_visible()
