"""Playlists in a real browser: by mouse, by finger, by keyboard, in two tabs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from segue import store
from segue.roles import Identity, Role
from tests.dashboard.listening import listener_page
from tests.dashboard.site import ADA, Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
BEN = Identity("ben", Role.LISTENER)
EVIL = "<img src=x onerror=\"document.title='broken'\">"
LOAD_MS = 20_000
# while a button is held, nothing that is pushed moves
PRESS = "kind => document.body.dispatchEvent(new PointerEvent(kind, {bubbles: true}))"


def make(site: Site, *track_ids: str, name: str = "Night", who: Identity = ADA) -> str:
    told = {"name": name} | ({"track_ids": list(track_ids)} if track_ids else {})
    return str(ask(site, "", told, who)["key"])


def ask(site: Site, path: str, told: object, who: Identity = ADA) -> Any:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(told).encode()
    answer = site.ask(f"/api/playlists{path}", "POST", body, headers, who)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def kept(site: Site, key: str) -> list[str]:
    found = site.database[store.PLAYLISTS].find_one({"_id": f"ada|{key}"})
    assert found is not None
    return list(found["track_ids"])


def show(page: Page, site: Site, key: str) -> None:
    page.goto(f"{site.url}/playlist/{key}")
    expect(page.locator("#playlist > li").first).to_be_visible(timeout=LOAD_MS)


def row(page: Page, place: int) -> Locator:
    return page.locator(f"#playlist > li:nth-child({place})")


def grip(page: Page, title: str) -> Locator:
    return page.get_by_label(re.compile(f"^Move {title}:"))


def expect_order(page: Page, *track_ids: str) -> None:
    rows = page.locator("#playlist > li")
    expect(rows).to_have_count(len(track_ids), timeout=LOAD_MS)
    for place, track_id in enumerate(track_ids, start=1):
        expect(row(page, place)).to_have_attribute("data-track-id", track_id)


def expect_kept(page: Page, site: Site, key: str, *track_ids: str) -> None:
    for _ in range(100):
        if kept(site, key) == list(track_ids):
            return
        page.wait_for_timeout(50)
    assert kept(site, key) == list(track_ids)


def held(page: Page, address: str) -> list[Route]:
    """Keep what is asked there from the server, until it is let go on."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    page.route(address, hold)
    return routes


def test_a_playlist_is_made_and_its_name_is_text(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/")
    page.locator("a.nav", has_text="Playlists").click()
    expect(page.locator(".playlists .empty")).to_contain_text("No playlists yet")
    page.get_by_label("Name of a new playlist").fill(EVIL)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(EVIL, timeout=LOAD_MS)
    expect(page.locator("#playlist .empty")).to_contain_text("No tracks yet")
    assert page.title() == f"{EVIL} · Segue"
    page.locator("a.nav", has_text="Playlists").click()
    expect(page.locator(".card-name")).to_have_text(EVIL)
    assert page.locator("img[src=x]").count() == 0


def test_a_playlist_is_renamed_in_its_place(page: Page, site: Site) -> None:
    key = make(site, "t1")
    show(page, site, key)
    page.get_by_role("button", name="Rename").press("Enter")
    field = page.get_by_label("New name")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("h1")).to_have_text("Night")
    page.get_by_role("button", name="Rename").press("Enter")
    page.keyboard.type("Day")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Day")
    expect(page.get_by_role("button", name="Rename")).to_be_focused()
    expect(page).to_have_title("Day · Segue")
    # another tab was faster
    page.get_by_role("button", name="Rename").press("Enter")
    ask(site, f"/{key}/rename", {"was": "Day", "name": "Noon"})
    page.get_by_label("New name").fill("Dusk")
    page.keyboard.press("Enter")
    expect(page.locator(".form-said")).to_contain_text("changed meanwhile")
    page.get_by_label("New name").press("Escape")
    expect(page).to_have_title("Noon · Segue")


def test_rows_are_moved_by_keyboard_and_said(page: Page, site: Site) -> None:
    key = make(site, "t1", "t2", "t3")
    show(page, site, key)
    held = grip(page, "Sweep 1")
    held.press("ArrowDown")
    expect_order(page, "t2", "t1", "t3")
    expect(held).to_be_focused()
    expect(page.locator("#playlist-said")).to_have_text("Sweep 1 is now 2 of 3")
    held.press("ArrowDown")
    held.press("ArrowDown")  # there is no further
    expect_order(page, "t2", "t3", "t1")
    play = page.get_by_label("Play Sweep 3")
    play.press("Alt+ArrowUp")
    expect_order(page, "t3", "t2", "t1")
    expect(play).to_be_focused()
    expect_kept(page, site, key, "t3", "t2", "t1")
    # and without dragging or keys, by the menu
    row(page, 3).get_by_label("More to do with").click()
    page.get_by_role("menuitem", name="Move up").click()
    expect_order(page, "t3", "t1", "t2")
    expect_kept(page, site, key, "t3", "t1", "t2")
    expect(row(page, 2).get_by_label("More to do with")).to_be_focused()


def test_an_edit_that_is_refused_is_taken_back_and_said(page: Page, site: Site) -> None:
    key = make(site, "t1", "t2", "t3")
    show(page, site, key)
    toast = page.locator("#toast")
    address = f"**/api/playlists/{key}**"
    page.route(address, lambda route: route.fulfill(status=503, body="{}"))
    with page.expect_response(f"**/api/playlists/{key}"):  # nor can it be read again
        grip(page, "Sweep 1").press("ArrowDown")
    expect(toast).to_have_text("The server answers 503.")
    expect_order(page, "t1", "t2", "t3")
    expect(grip(page, "Sweep 1")).to_be_focused()
    page.get_by_label("Remove Sweep 3").click()
    expect_order(page, "t1", "t2", "t3")
    page.unroute(address)
    # the next one is sent again
    page.get_by_label("Remove Sweep 3").click()
    expect_kept(page, site, key, "t1", "t2")
    expect_order(page, "t1", "t2")
    # the last row, too
    page.get_by_label("Remove Sweep 2").click()
    expect_kept(page, site, key, "t1")
    page.route(address, lambda route: route.fulfill(status=503, body="{}"))
    page.get_by_label("Remove Sweep 1").click()
    expect(toast).to_have_text("The server answers 503.")
    expect_order(page, "t1")


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_another_tab_did_shows_where_this_one_is_refused(
    browser: Browser, site: Site, is_deleted: bool
) -> None:
    key = make(site, "t1", "t2", "t3")
    with listener_page(browser, site) as page:  # whose console may tell of a 404
        show(page, site, key)
        page.evaluate(PRESS, "pointerdown")  # it hears of nothing
        if is_deleted:
            ask(site, f"/{key}/delete", {})
        else:
            ask(site, f"/{key}/add", {"track_ids": ["t5"], "at": 0})
        reads = held(page, f"**/api/playlists/{key}")
        with page.expect_request(f"**/api/playlists/{key}"):
            grip(page, "Sweep 1").press("ArrowDown")
        words = re.compile(
            "no such playlist" if is_deleted else "changed meanwhile", re.I
        )
        expect(page.locator("#toast")).to_contain_text(words)
        expect_order(page, "t1", "t2", "t3")  # before it is read again
        for read in reads:
            read.continue_()
        expect_order(page, *([] if is_deleted else ["t5"]), "t1", "t2", "t3")
        page.evaluate(PRESS, "pointerup")
        if is_deleted:
            expect(page.locator("#toast")).to_contain_text("deleted in another tab")


def test_what_was_done_on_top_of_a_refused_edit_is_taken_back_with_it(
    page: Page, site: Site
) -> None:
    key = make(site, "t1", "t2", "t3", "t4")
    show(page, site, key)
    edits = held(page, f"**/api/playlists/{key}/*")
    with page.expect_request("**/move"):
        grip(page, "Sweep 1").press("ArrowDown")
    page.get_by_label("Remove Sweep 3").click()
    middle(page, row(page, 3).locator(".grip"))
    page.mouse.down()
    box = row(page, 1).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 3, steps=5)
    expect(row(page, 1)).to_have_class("track drop-above")
    edits[0].fulfill(status=503, body="{}")
    toast = page.locator("#toast")
    expect(toast).to_have_text(
        "The server answers 503. What you did after that is not done either."
    )
    expect_order(page, "t2", "t1", "t4")  # nothing moves under the finger
    page.mouse.up()
    expect_order(page, "t1", "t2", "t3", "t4")
    assert len(edits) == 1
    page.unroute_all()
    grip(page, "Sweep 4").press("ArrowUp")
    expect_kept(page, site, key, "t1", "t2", "t4", "t3")


def test_rows_are_dragged(page: Page, site: Site) -> None:
    key = make(site, "t1", "t2", "t3", "t4")
    show(page, site, key)
    middle(page, row(page, 1).locator(".grip"))
    page.mouse.down()
    box = row(page, 3).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 3, steps=5)
    expect(row(page, 3)).to_have_class("track drop-below")
    page.mouse.up()
    expect_order(page, "t2", "t3", "t1", "t4")
    expect_kept(page, site, key, "t2", "t3", "t1", "t4")
    middle(page, row(page, 4).locator(".grip"))
    page.mouse.down()
    box = row(page, 1).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 3, steps=5)
    page.keyboard.press("Escape")  # thought better of it
    page.mouse.up()
    expect_order(page, "t2", "t3", "t1", "t4")
    assert kept(site, key) == ["t2", "t3", "t1", "t4"]


def middle(page: Page, at: Locator) -> None:
    box = at.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_rows_are_dragged_by_a_finger(browser: Browser, site: Site) -> None:
    key = make(site, "t1", "t2", "t3")
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    for each in site.log_in().cookies():
        context.add_cookies([{**each, "url": site.url}])  # type: ignore[typeddict-item]
    page = context.new_page()
    show(page, site, key)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = row(page, 3).locator(".grip").bounding_box()
    target = row(page, 1).bounding_box()
    assert box is not None
    assert target is not None
    x, y = box["x"] + 10, box["y"] + 10
    finger = context.new_cdp_session(page)

    def touch(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x, y)
    for step in range(1, 6):
        touch("touchMove", x, y + (target["y"] + 3 - y) * step / 5)
    touch("touchEnd")
    expect_order(page, "t3", "t1", "t2")
    expect_kept(page, site, key, "t3", "t1", "t2")
    context.close()


def test_a_row_is_removed_and_had_back(page: Page, site: Site) -> None:
    key = make(site, "t1", "t2", "t3")
    show(page, site, key)
    page.get_by_label("Remove Sweep 2").click()
    expect_order(page, "t1", "t3")
    expect(row(page, 2).locator(".grip")).to_be_focused()
    expect_kept(page, site, key, "t1", "t3")
    expect(page.locator("#toast")).to_contain_text("Removed “Sweep 2”")
    page.locator("#toast button").click()
    expect_order(page, "t1", "t2", "t3")
    expect_kept(page, site, key, "t1", "t2", "t3")


def test_a_playlist_is_deleted_and_had_back(page: Page, site: Site) -> None:
    key = make(site, "t1", "t2")
    show(page, site, key)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#toast")).to_contain_text("Deleted “Night”", timeout=LOAD_MS)
    expect(page.locator(".playlists .empty")).to_be_visible()
    page.locator("#toast button").click()
    expect(page.locator(".playlists .card-name")).to_have_text("Night")
    expect(page.locator(".playlists .by")).to_have_text("2 tracks, 0 min")
    page.locator(".playlists .card").click()
    expect_order(page, "t1", "t2")


def test_two_tabs_agree(page: Page, site: Site) -> None:
    key = make(site, "t1", "t2", "t3")
    show(page, site, key)
    other = page.context.new_page()
    show(other, site, key)
    grip(page, "Sweep 1").press("ArrowDown")
    expect_order(other, "t2", "t1", "t3")
    other.get_by_label("Remove Sweep 3").click()
    expect_order(page, "t2", "t1")
    # a tab that has not heard of it yet: its edit is refused, then it shows what is
    other.close()
    page.evaluate(PRESS, "pointerdown")
    ask(site, f"/{key}/add", {"track_ids": ["t5"], "at": 0})
    grip(page, "Sweep 2").press("ArrowDown")
    expect(page.locator("#toast")).to_contain_text("changed meanwhile")
    expect_order(page, "t5", "t2", "t1")
    ask(site, f"/{key}/delete", {})
    page.evaluate(PRESS, "pointerup")
    expect(page.locator("#toast")).to_contain_text("“Night” was deleted in another tab")
    expect(page.locator(".playlists .empty")).to_be_visible(timeout=LOAD_MS)


def test_an_edit_does_not_hide_what_another_tab_has_done(
    page: Page, site: Site
) -> None:
    key = make(site, "t1", "t2", "t3")
    show(page, site, key)
    page.evaluate(PRESS, "pointerdown")
    ask(site, f"/{key}/add", {"track_ids": ["t5"]})
    # a row is taken out wherever it is now: that is no conflict
    page.get_by_label("Remove Sweep 3").press("Enter")
    page.evaluate(PRESS, "pointerup")
    expect_order(page, "t1", "t2", "t5")
    assert kept(site, key) == ["t1", "t2", "t5"]


def test_a_shared_link_is_read_only_and_can_be_taken_back(
    page: Page, browser: Browser, site: Site
) -> None:
    key = make(site, "t1", "t2")
    show(page, site, key)
    page.get_by_role("button", name="Share").click()
    link = page.get_by_label("Link to this playlist")
    expect(link).to_have_value(re.compile(rf"{site.url}/shared/[\w-]{{22}}"))
    address = link.input_value()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#toast")).to_contain_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == address
    context = browser.new_context()
    for each in site.log_in(BEN).cookies():
        context.add_cookies([{**each, "url": site.url}])  # type: ignore[typeddict-item]
    ben = context.new_page()
    ben.goto(address)
    expect(ben.locator(".facts")).to_have_text("By ada, 2 tracks, 0 min")
    expect_order(ben, "t1", "t2")
    assert ben.locator(".grip, .remove").count() == 0
    ben.get_by_role("button", name="Copy to my playlists").click()
    expect(ben.get_by_role("button", name="Rename")).to_be_visible(timeout=LOAD_MS)
    assert site.database[store.PLAYLISTS].count_documents({"user_id": "ben"}) == 1
    ben.goto(f"{site.url}/playlist/{key}")
    expect(ben.locator("h1")).to_have_text("Not there", timeout=LOAD_MS)
    page.get_by_role("button", name="Stop sharing").click()
    expect(link).to_be_hidden()
    ben.goto(address)
    expect(ben.locator("h1")).to_have_text("Not there", timeout=LOAD_MS)
    context.close()


def test_a_track_is_added_by_its_menu_with_the_keyboard(page: Page, site: Site) -> None:
    make(site, "t1", name="Day")
    key = make(site, "t1", name=EVIL)
    page.goto(f"{site.url}/search")
    page.get_by_label("Search", exact=True).fill("sweep", timeout=LOAD_MS)
    more = page.locator("#found").get_by_label("More to do with Sweep 3")
    more.press("Enter")
    page.get_by_role("menuitem", name="Add to playlist…").press("Enter")
    dialog = page.get_by_role("dialog", name="Add “Sweep 3” to a playlist")
    expect(dialog.get_by_role("button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(more).to_be_focused()
    more.press("Enter")
    page.get_by_role("menuitem", name="Add to playlist…").press("Enter")
    expect(dialog.get_by_role("button").first).to_contain_text(EVIL)
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text(f"Added to “{EVIL}”")
    expect_kept(page, site, key, "t1", "t3")
    expect(more).to_be_focused()
    page.locator("#toast button").press("Enter")
    expect_kept(page, site, key, "t1")
    more.press("Enter")
    page.get_by_role("menuitem", name="Add to playlist…").press("Enter")
    dialog.get_by_label("Name of a new playlist").fill("Fresh")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("Added to “Fresh”")
    made = site.database[store.PLAYLISTS].find_one({"name": "Fresh"})
    assert made is not None
    assert made["track_ids"] == ["t3"]


def test_files_come_and_go(page: Page, site: Site, tmp_path: Path) -> None:
    key = make(site, "t1", "t2")
    show(page, site, key)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export M3U").click()
    assert download.value.suggested_filename == "Night.m3u8"
    file = tmp_path / "Mixtape.m3u8"
    file.write_text(
        download.value.path().read_text("utf-8").replace("PLAYLIST", "X")
        + f"#EXTINF:1,{EVIL}\nnowhere.mp3\n"
    )
    page.locator("a.nav", has_text="Playlists").click()
    choose(page, file)
    expect(page.locator("#imported")).to_contain_text("2 tracks of “Mixtape.m3u8”")
    expect(page.locator("#imported li")).to_have_text([EVIL])
    page.locator("#imported a").click()
    expect(page.locator("h1")).to_have_text("Mixtape", timeout=LOAD_MS)
    expect_order(page, "t1", "t2")
    page.locator("a.nav", has_text="Playlists").click()
    expect(page.locator(".playlists .card")).to_have_count(2)
    file.write_bytes(b"#EXTM3U\n#EXTINF:soon,A\n")
    choose(page, file)
    expect(page.locator("#toast")).to_contain_text("Line 2: #EXTINF wants seconds")
    file.write_bytes(b"x\n" * 5_000_000)
    choose(page, file)
    expect(page.locator("#toast")).to_contain_text("is over 1 MB")
    jspf = tmp_path / "x.jspf"
    jspf.write_bytes(site.ask(f"/api/playlists/{key}/export?form=jspf").body)
    choose(page, jspf)
    expect(page.locator("#toast")).to_contain_text("Imported 2 tracks")
    expect(page.locator("h1")).to_have_text("Night", timeout=LOAD_MS)


def choose(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files(file)


def test_tracks_that_are_gone_are_rows_that_can_be_removed(
    page: Page, site: Site
) -> None:
    key = make(site, "t1", "t2", "t3")
    site.database[store.TRACKS].delete_one({"_id": "t1"})
    show(page, site, key)
    expect(row(page, 1)).to_contain_text("No longer in the library")
    expect(row(page, 1).locator("[data-do=play], [data-do=menu]")).to_have_count(0)
    grip(page, "a track that is gone").press("ArrowDown")
    expect_kept(page, site, key, "t2", "t1", "t3")
    row(page, 2).get_by_label("Remove a track that is gone").click()
    expect_order(page, "t2", "t3")
    page.locator("#toast button").click()
    expect(page.locator("#toast")).to_contain_text("not in the library")


def test_a_play_says_that_it_is_of_a_playlist(page: Page, site: Site) -> None:
    key = make(site, "t2", "t0")
    show(page, site, key)
    row(page, 2).locator("[data-do=play]").click()
    expect(page.locator("#player")).to_have_attribute("data-state", "playing")
    for _ in range(100):
        if "started" in site.sink.actions():
            break
        page.wait_for_timeout(50)
    (started,) = (e for e in site.sink.events if e.action == "started")
    assert started.source is not None
    assert (started.track_id, started.source["surface"]) == ("t0", "playlist")


def test_five_thousand_rows_are_shown_and_moved(page: Page, site: Site) -> None:
    many = [f"t{n % 6}" for n in range(5_000)]
    key = make(site, *many)
    page.goto(f"{site.url}/playlist/{key}")
    expect(page.locator("#playlist > li")).to_have_count(5_000, timeout=LOAD_MS)
    held = row(page, 5_000).locator(".grip")
    held.press("ArrowUp")
    wanted = [*many[:-2], many[-1], many[-2]]
    expect_kept(page, site, key, *wanted)
    expect(row(page, 4_999)).to_have_attribute("data-track-id", "t1")
