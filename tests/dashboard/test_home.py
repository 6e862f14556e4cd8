"""The first page in a real browser, on a real MongoDB."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from segue import store
from segue.events import Action
from segue.store import Document
from tests.dashboard.home_scene import (
    listen,
    session,
    taste_of,
    towards,
    write_index,
    write_listens,
)
from tests.dashboard.site import Site, list_document

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
LIST_MS = 20_000
PARTS = {"now": 0.5, "seeds": 0.25, "hub": -0.0625, "neighbours": 0.125}


def _list_after(action: str, left: list[str], came: list[str], *ids: str) -> Document:
    """Return a list that was made 0.8 s after an event about `t5`."""
    document = list_document("ada", list(ids))
    at = document["updated_at"] - timedelta(seconds=0.8)
    event = {"event_id": "e", "action": action, "track_id": "t5", "event_time": at}
    for item in document["items"]:
        item |= {"parts": PARTS, "score": sum(PARTS.values()), "explored": False}
        item |= {"neighbour": "t4", "seed": "t0", "follows": None}
    return document | {"diff": {"left": left, "came": came, "event": event}}


def _show(page: Page, site: Site, *ids: str) -> None:
    document = _list_after("skipped", ["t4", "t0"], ["t1"], *ids)
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    page.goto(site.url)
    expect(page.locator("#for-you > li").first).to_be_visible(timeout=LIST_MS)


def _row(page: Page, track_id: str) -> Locator:
    return page.locator(f'#for-you > [data-track-id="{track_id}"]')


def _why(page: Page, track_id: str) -> Locator:
    return _row(page, track_id).get_by_role("button", name="Why")


def test_a_reason_counts_what_was_played_in_local_time(page: Page, site: Site) -> None:
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
    write_listens(site.database, session("ada", ["t0", "t3"], now))
    site.database[store.TRACKS].update_many({}, {"$set": {"genre": "dub"}})
    _show(page, site, "t1", "t2")
    first = page.evaluate(
        """at => [new Date(at).getHours(), new Date(at).getMinutes()]
          .map((n) => String(n).padStart(2, "0")).join(":")""",
        (now - timedelta(minutes=4)).timestamp() * 1000,
    )
    expect(_row(page, "t1").locator(".why span").first).to_have_text(
        f"Close to the 2 dub tracks you played since {first}; "
        "listeners of Sweep 4 play it too"
    )


@pytest.mark.parametrize("name", ["album/a0", "artist/a0", "track/t1"])
def test_a_long_name_makes_no_page_wider(page: Page, site: Site, name: str) -> None:
    long = "Long " * 60 + "L" * 300
    named = {"title": long, "name": long, "album": long, "artist": long}
    keys = {"album_id": "a0", "artist_id": "a0"}
    site.database[store.TRACKS].update_many({}, {"$set": {**named, **keys}})
    whole = {"_id": "a0", **named, **keys, "n_tracks": 6, "n_albums": 1}
    whole |= {"duration_s": 60.0, "cover_track_id": "t1", "n_artists": 1}
    for each in (store.ALBUMS, store.ARTISTS):
        store.upsert(site.database, each, [whole])
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{site.url}/{name}")
    expect(page.locator("h1")).to_contain_text("Long Long")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("width", [390, 1440])
def test_a_reason_is_never_cut(page: Page, site: Site, width: int) -> None:
    long = "A title that goes on and on, as titles of old recordings do"
    site.database[store.TRACKS].update_many({}, {"$set": {"title": long}})
    first = site.database[store.TRACKS].find_one({"_id": "t1"}) or {}
    new = {"added_at": datetime.now(UTC)}
    albums = [first | new | {"_id": f"n{n}", "album_id": f"n{n}"} for n in range(12)]
    store.upsert(site.database, store.TRACKS, albums)
    page.set_viewport_size({"width": width, "height": 900})
    _show(page, site, "t1", "t2")
    expect(page.locator("#home-new > li")).to_have_count(12)  # wider than the page
    why = _row(page, "t1").locator(".why")
    expect(why).to_contain_text("play it too")
    fits = "e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight + 1"
    assert why.evaluate(fits)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_head_says_what_changed_and_how_soon(page: Page, site: Site) -> None:
    _show(page, site, "t1", "t2")
    expect(page.locator("#for-you-facts")).to_contain_text("0.8 s after your skip")
    summary = page.locator("#for-you-change")
    expect(summary).to_have_text("After you skipped Sweep 5: 2 left, 1 came")
    summary.click()
    told = page.locator("#for-you-changed-tracks")
    expect(told.get_by_role("link")).to_have_text(["Sweep 4", "Sweep 0", "Sweep 1"])
    liked = _list_after("liked", [], ["t3"], "t3", "t1")
    store.upsert(site.database, store.RECOMMENDATIONS, [liked])
    expect(summary).to_have_text("After you liked Sweep 5: 0 left, 1 came")
    expect(told.get_by_role("link", name="Sweep 3")).to_be_visible()  # stays open


def test_a_list_without_a_past_says_nothing_of_changes(page: Page, site: Site) -> None:
    document = list_document("ada", ["t1"])
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    page.goto(site.url)
    expect(_row(page, "t1")).to_be_visible(timeout=LIST_MS)
    expect(page.locator("#for-you-changed")).to_be_hidden()
    expect(page.locator("#for-you-facts")).not_to_contain_text("after your")


def test_why_opens_by_keyboard_and_its_parts_add_up(page: Page, site: Site) -> None:
    _show(page, site, "t1", "t2")
    button = _why(page, "t1")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    panel = page.get_by_role("group", name="Why Sweep 1")
    cells = panel.locator(".part-value").all_inner_texts()
    *parts, whole = [float(text.replace("\N{MINUS SIGN}", "-")) for text in cells]
    assert sum(parts) == pytest.approx(whole, abs=0.002)
    assert whole == pytest.approx(0.8125, abs=0.001)
    expect(panel.get_by_role("rowheader")).to_have_count(len(PARTS) + 1)
    expect(panel.get_by_role("link")).to_have_text(["Sweep 0", "Sweep 0", "Sweep 4"])
    expect(panel).to_contain_text("Track index v1, no model of other listeners, 0.8 s")
    page.keyboard.press("Tab")  # the menu of the row stands in between
    page.keyboard.press("Tab")
    expect(panel.get_by_role("link").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_an_open_panel_outlasts_a_push_and_is_renewed(page: Page, site: Site) -> None:
    _show(page, site, "t1", "t2")
    _why(page, "t2").click()
    panel = page.get_by_role("group", name="Why Sweep 2")
    panel.get_by_role("link", name="Sweep 4").focus()
    document = _list_after("skipped", [], [], "t3", "t2", "t1")
    for item in document["items"]:
        item["parts"] = PARTS | {"now": 0.25}
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    expect(_row(page, "t3")).to_be_visible()
    expect(panel.locator("tfoot .part-value")).to_have_text("0.563")
    expect(panel.get_by_role("link", name="Sweep 4")).to_be_focused()
    expect(_why(page, "t2")).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".why-panel")).to_have_count(1)


def test_the_menu_of_a_row_leads_to_why(page: Page, site: Site) -> None:
    _show(page, site, "t1", "t2")
    _row(page, "t2").locator('[data-do="menu"]').click()
    page.get_by_role("menuitem", name="Why this track?").click()
    expect(page.get_by_role("group", name="Why Sweep 2")).to_be_visible()
    expect(_why(page, "t2")).to_be_focused()


def test_a_focus_on_a_button_of_a_row_outlasts_a_push(page: Page, site: Site) -> None:
    _show(page, site, "t1", "t2")
    _why(page, "t1").focus()
    document = _list_after("liked", [], [], "t2", "t1")
    document["items"][1] |= {"parts": {"now": 0.4}, "score": 0.4}
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    expect(_row(page, "t1").locator(".score")).to_have_text("0.40")
    expect(_why(page, "t1")).to_be_focused()


def test_a_long_list_shows_its_first_rows_and_all_when_asked(
    page: Page, site: Site
) -> None:
    first = site.database[store.TRACKS].find_one({"_id": "t1"}) or {}
    more = [first | {"_id": f"m{n}", "title": f"More {n}"} for n in range(10)]
    store.upsert(site.database, store.TRACKS, more)
    ids = [f"m{n}" for n in range(10)]
    _show(page, site, *ids)
    expect(_row(page, "m7")).to_be_visible()
    expect(_row(page, "m8")).to_be_hidden()
    page.get_by_role("button", name="Show all").click()
    expect(_row(page, "m9")).to_be_visible()
    _why(page, "m9").focus()
    page.get_by_role("button", name="Show fewer").click()
    expect(_row(page, "m9")).to_be_hidden()


def test_now_today_and_always_follow_the_taste(page: Page, site: Site) -> None:
    index = write_index(site.home)
    now = datetime.now(UTC)
    told = {"now": towards(index, "t5"), "always": towards(index, "t0")}
    store.upsert(site.database, store.TASTES, [taste_of("ada", now, **told)])
    page.goto(site.url)
    rows = "#home-{} [data-track-id]"
    expect(page.locator(rows.format("now")).first).to_contain_text("Sweep 5")
    expect(page.locator(rows.format("always")).first).to_contain_text("Sweep 0")
    expect(page.locator("#home-today")).to_have_text("Nothing heard today yet.")
    told = {"now": towards(index, "t2"), "today": towards(index, "t3")}
    store.upsert(site.database, store.TASTES, [taste_of("ada", now, **told)])
    expect(page.locator(rows.format("now")).first).to_contain_text("Sweep 2")
    expect(page.locator(rows.format("today")).first).to_contain_text("Sweep 3")
    expect(page.locator("#home-always")).to_have_text("Nothing heard yet.")


def test_the_sections_show_what_there_is_to_go_on_with(page: Page, site: Site) -> None:
    now = datetime.now(UTC)
    left = listen("ada", "t2", now - timedelta(hours=1), 0.5, Action.PROGRESSED)
    crowd = [
        listen(name, "t4", now - timedelta(minutes=5)) for name in ("bo", "cy", "di")
    ]
    write_listens(site.database, [left, *crowd])
    tracks = site.database[store.TRACKS]
    tracks.update_many({}, {"$set": {"added_at": now, "album_id": "sines"}})
    page.goto(site.url)
    expect(page.locator("#home-left-off")).to_contain_text("2:00 of 4:00 heard at")
    expect(page.locator("#home-trending")).to_contain_text(
        "3 listeners in the last 6 hours"
    )
    new = page.get_by_role("region", name="New in the library")
    expect(new.get_by_role("link")).to_have_count(1)
    page.get_by_role("link", name="Browse the library").click()
    expect(page.locator("h1")).to_have_text("Search")


def test_what_is_not_wanted_does_not_trend_for_who_said_so(
    page: Page, site: Site
) -> None:
    write_index(site.home)
    at = datetime.now(UTC) - timedelta(minutes=5)
    crowd = ("bo", "cy", "di")
    plays = [listen(name, track_id, at) for name in crowd for track_id in ("t3", "t4")]
    write_listens(site.database, plays)
    word = {"track_id": "t4", "action": "disliked", "at": at, "user_id": "ada"}
    store.upsert(site.database, store.REACTIONS, [{"_id": "ada|t4", **word}])
    page.goto(site.url)
    rows = page.locator("#home-trending [data-track-id]")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Sweep 3")


def test_a_new_listener_and_an_empty_library_get_sentences(
    page: Page, site: Site
) -> None:
    site.database[store.TRACKS].delete_many({})
    page.goto(site.url)
    expect(page.locator("#for-you")).to_contain_text("No music yet", timeout=LIST_MS)
    expect(page.locator("#for-you-note")).to_be_empty()
    for name, sentence in (
        ("now", "Nothing is playing. Press play on anything."),
        ("today", "Nothing heard today yet."),
        ("always", "Nothing heard yet."),
        ("left-off", "What you leave in the middle waits here."),
        ("trending", "Nothing is played more than before"),
        ("new", "Nothing was added yet."),
    ):
        expect(page.locator(f"#home-{name}")).to_contain_text(sentence)


def test_a_track_of_home_plays_and_says_where_it_began(page: Page, site: Site) -> None:
    index = write_index(site.home)
    taste = taste_of("ada", datetime.now(UTC), now=towards(index, "t0"))
    store.upsert(site.database, store.TASTES, [taste])
    page.goto(site.url)
    with page.expect_response("**/api/events"):
        page.locator('#home-now [data-track-id="t0"] [data-do="play"]').click()
    source = site.sink.events[0].source
    assert source is not None
    assert (source["surface"], source["organic"]) == ("home", True)
