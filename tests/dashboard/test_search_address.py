"""What is sought stands in the address: it is there again after another page."""

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
WAIT_MS = 20_000


def test_a_search_is_there_again_on_back_forward_and_load(
    page: Page, site: Site
) -> None:
    page.context.set_default_timeout(WAIT_MS)
    page.goto(f"{site.url}/search")
    box = page.get_by_role("searchbox", name="Search")
    found = page.locator("#found [data-track-id]").first
    box.press_sequentially("sweep 3 &")
    expect(found).to_have_attribute("data-track-id", "t3", timeout=WAIT_MS)
    sought = f"{site.url}/search?q=sweep+3+%26"
    assert page.url == sought
    n_entries = page.evaluate("history.length")
    page.locator("nav a.nav", has_text="Liked").click()
    expect(page.locator("h1")).to_have_text("Liked", timeout=WAIT_MS)
    assert page.evaluate("history.length") == n_entries + 1  # not one for each letter
    page.go_back()
    expect(box).to_have_value("sweep 3 &", timeout=WAIT_MS)
    expect(found).to_have_attribute("data-track-id", "t3", timeout=WAIT_MS)
    assert page.url == sought
    # an empty search is another step, and forward and back are these two
    page.locator("nav a.nav", has_text="Search").click()
    expect(box).to_have_value("", timeout=WAIT_MS)
    page.go_back()
    expect(box).to_have_value("sweep 3 &", timeout=WAIT_MS)
    page.go_forward()
    expect(box).to_have_value("", timeout=WAIT_MS)
    page.goto(sought)
    expect(box).to_have_value("sweep 3 &", timeout=WAIT_MS)
    expect(found).to_have_attribute("data-track-id", "t3", timeout=WAIT_MS)
    box.fill("")
    expect(page).to_have_url(f"{site.url}/search")
