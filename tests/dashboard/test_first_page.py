"""What is shown before Dash has begun, in a real browser that waits for Dash."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from segue import store
from tests.dashboard.listening import wait_until
from tests.dashboard.site import Site, list_document

pytestmark = pytest.mark.mongo
_DASH_MS = 20_000


class Held:
    """Dash's scripts on their way to a page; nothing of Dash runs until they go on."""

    def __init__(self, page: Page) -> None:
        self._page, self._waiting, self._is_open = page, list[Route](), False
        page.route(re.compile("/_dash-component-suites/"), self._take)

    def _take(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self._waiting.append(route)

    def go(self) -> None:
        """Let Dash begin, and wait until it has taken over."""
        self._is_open = True
        for route in self._waiting:
            route.continue_()
        self._waiting.clear()
        expect(self._page.locator("#first")).to_have_count(0, timeout=_DASH_MS)
        content = self._page.locator("#react-entry-point .content > *")
        expect(content).to_be_visible(timeout=_DASH_MS)
        # one page alone is left, that of Dash
        self._page.wait_for_function(
            """() => {
              const [page, ...more] = document.querySelectorAll(".content > *");
              return !more.length && Object.keys(page).join().includes("__react");
            }""",
            timeout=_DASH_MS,
        )
        self._is_open = False


@pytest.fixture
def held(page: Page, site: Site) -> Held:
    listed = list_document("ada", ["t1", "t2", "t3"])
    store.upsert(site.database, store.RECOMMENDATIONS, [listed])
    return Held(page)


def rows(page: Page) -> Locator:
    return page.locator("#for-you > li")


@pytest.mark.browser
def test_the_list_is_there_and_plays_before_dash_and_stays_as_it_is(
    page: Page, site: Site, held: Held
) -> None:
    page.goto(site.url, wait_until="commit")
    expect(rows(page)).to_have_count(3)
    expect(page.locator("#for-you-facts")).not_to_be_empty()
    assert page.title() == "Home · Segue"
    home = page.get_by_label("Pages").get_by_role("link", name="Home")
    expect(home).to_have_attribute("aria-current", "page")
    facts = page.locator("#for-you-facts").inner_text()
    rows(page).nth(1).get_by_role("button", name="Play").first.click()
    wait_until(
        lambda: site.sink.actions() == ["started"],
        lambda: f"{site.sink.actions()} instead of one start",
    )
    rows(page).nth(1).evaluate("(row) => (row.isTheSame = true)")
    assert page.evaluate("() => window.dash_clientside?.set_props") is None
    held.go()
    expect(rows(page)).to_have_count(3)
    assert rows(page).nth(1).evaluate("(row) => row.isTheSame")
    expect(rows(page).nth(1).get_by_role("button").first).to_be_focused()
    expect(page.locator("#for-you-facts")).to_have_text(re.compile(facts[:7]))


@pytest.mark.browser
def test_nothing_moves_when_dash_takes_over(page: Page, site: Site, held: Held) -> None:
    places = """() =>
      [...document.querySelectorAll(".header, .nav, h1, h2, h3, .tracks > li, .facts")]
        .filter((each) => each.checkVisibility())
        .map((each) => [each, each.getBoundingClientRect()])
        .map(([{ nodeName, id }, { top, left, height, width }]) =>
          [nodeName, id, ...[top, left, height, width].map(Math.round)].join(" "))"""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(site.url, wait_until="commit")
        expect(rows(page)).to_have_count(3)
        for name in ("new", "now", "today", "always"):  # they come by the socket
            expect(page.locator(f"#home-{name} > li").first).to_be_visible()
        before = page.evaluate(places)
        held.go()
        assert page.evaluate(places) == before


@pytest.mark.browser
def test_a_focused_way_stays_focused_when_dash_takes_over(
    page: Page, site: Site, held: Held
) -> None:
    page.goto(f"{site.url}/liked", wait_until="commit")
    way = page.get_by_label("Pages").get_by_role("link", name="Radio")
    way.focus()
    held.go()
    expect(way).to_be_focused()


@pytest.mark.browser
def test_what_was_opened_and_focused_stays_so(
    page: Page, site: Site, held: Held
) -> None:
    one = site.database[store.TRACKS].find_one({"_id": "t1"}) or {}
    ids = [f"n{n}" for n in range(12)]
    store.upsert(site.database, store.TRACKS, [{**one, "_id": name} for name in ids])
    listed = list_document("ada", ids)
    store.upsert(site.database, store.RECOMMENDATIONS, [listed])
    page.goto(site.url, wait_until="commit")
    expect(rows(page)).to_have_count(12)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    assert page.locator("#content").count() == 1  # where it leads
    more = page.get_by_role("button", name="Show all")
    more.click()
    more = page.get_by_role("button", name="Show fewer")
    expect(more).to_be_focused()
    held.go()
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "true")
    more.click()
    expect(page.get_by_role("button", name="Show all")).to_be_visible()


@pytest.mark.browser
def test_another_page_opens_before_dash(page: Page, site: Site, held: Held) -> None:
    page.goto(site.url, wait_until="commit")
    rows(page).nth(1).locator(".title a").click()
    expect(page).to_have_url(re.compile("/track/t2"))
    expect(page.locator("h1")).to_have_text("Sweep 2")
    held.go()
    expect(page.locator("h1")).to_have_count(1)


@pytest.mark.browser
@pytest.mark.parametrize("name", ["search", "history", "radio"])
def test_a_page_that_needs_dash_has_its_frame_at_once(
    page: Page, site: Site, held: Held, name: str
) -> None:
    page.goto(f"{site.url}/{name}", wait_until="commit")
    expect(page.get_by_label("Pages").get_by_role("link", name="Home")).to_be_visible()
    expect(page.locator("#first .content")).to_be_empty()
    held.go()
    expect(page.locator("h1")).to_have_count(1)


def test_a_document_that_cannot_be_shown_leaves_frame_and_player(site: Site) -> None:
    bad = {"_id": "ada", "items": 7}
    store.upsert(site.database, store.RECOMMENDATIONS, [bad])
    answer = site.ask("/")
    assert answer.status == 200
    told = told_in(answer.body.decode())
    assert (told["page"], told["props"]) == (None, {})
    assert told["frame"]["type"] == "Div"
    assert b'id="player"' in answer.body


@pytest.mark.parametrize("path", ["/", "/artist/a0", "/track/t1", "/genre/x"])
def test_early_pages_need_nothing_of_dash(site: Site, path: str) -> None:
    def is_plain(part: Any) -> bool:
        if isinstance(part, list):
            return all(map(is_plain, part))
        if not isinstance(part, dict) or "namespace" not in part:
            return True
        inner = is_plain(part["props"].get("children"))
        return part["namespace"] == "dash_html_components" and inner

    page = told_in(site.ask(path).body.decode())["page"]
    assert page is not None
    assert is_plain(page)


def told_in(text: str) -> dict[str, Any]:
    """Return what a page has for the time before Dash."""
    (told,) = re.findall(r'id="first-page" [^>]*>(.*?)</script>', text, re.DOTALL)
    found: dict[str, Any] = json.loads(told)
    return found


def test_text_of_tracks_is_no_html_in_it_and_the_page_is_of_one_listener(
    site: Site,
) -> None:
    hostile = "</script><script>alert(1)</script>{%first_page%}"
    site.database[store.TRACKS].update_many({}, {"$set": {"title": hostile}})
    answer = site.ask("/track/t1")
    text = answer.body.decode()
    assert "alert(1)</script>" not in text
    assert hostile in json.dumps(told_in(text), ensure_ascii=False)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-length"] == str(len(answer.body))
