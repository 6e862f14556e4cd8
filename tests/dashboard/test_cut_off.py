"""Pages that are opened while the network is away: they are promised, and come."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
WAIT_MS = 30_000
CALLBACKS = re.compile("/_dash-update-component")
PROMISE = "This page cannot be opened now; it opens by itself"


@pytest.fixture
def reader(browser: Browser, site: Site) -> Iterator[Page]:
    """A page on Home, on whose console a lost network may complain."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WAIT_MS)
    for each in site.log_in().cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    with page.expect_response(CALLBACKS):
        page.goto(site.url)
    expect(page.locator("h1")).to_have_text("For you", timeout=WAIT_MS)
    expect(page.locator("#for-you-note")).to_be_visible(timeout=WAIT_MS)
    page.wait_for_function("!segue.first.isAlone()")
    expect(page.locator(".content > [data-title]")).to_have_count(1)
    yield page
    context.close()


def follow(page: Page, name: str) -> None:
    page.locator("nav a.nav", has_text=name).click()


def test_a_page_opened_without_a_network_is_promised_and_comes_by_itself(
    reader: Page,
) -> None:
    banner = reader.locator("#banner")
    reader.context.set_offline(True)
    follow(reader, "Playlists")
    expect(banner).to_contain_text(PROMISE, timeout=WAIT_MS)
    expect(reader.locator("h1")).to_have_text("For you")
    reader.go_back()  # to what is shown all the time
    expect(banner).not_to_contain_text(PROMISE, timeout=WAIT_MS)
    reader.go_forward()
    expect(banner).to_contain_text(PROMISE, timeout=WAIT_MS)
    reader.context.set_offline(False)
    expect(reader.locator("h1")).to_have_text("Playlists", timeout=WAIT_MS)
    expect(banner).to_be_hidden(timeout=WAIT_MS)


def test_a_link_that_failed_is_tried_again_by_another_click(reader: Page) -> None:
    asked: list[str] = []

    def fail_once(route: Route) -> None:
        if '"location"' not in (route.request.post_data or ""):
            route.continue_()
            return
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    reader.route(CALLBACKS, fail_once)
    follow(reader, "Playlists")
    for _ in range(400):
        if asked:
            break
        reader.wait_for_timeout(50)
    expect(reader.locator("h1")).to_have_text("For you")
    follow(reader, "Playlists")
    expect(reader.locator("h1")).to_have_text("Playlists", timeout=WAIT_MS)
    follow(reader, "Playlists")  # it is there: nothing is asked for
    reader.wait_for_timeout(500)
    assert len(asked) == 2
