import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.site import Site


@pytest.mark.mongo
@pytest.mark.browser
def test_the_menu_of_a_track_works_by_keyboard(page: Page, site: Site) -> None:
    page.goto(site.url)
    opener = page.locator('#for-you [data-track-id="t2"] [data-do="menu"]')
    opener.focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("menu", name="What to do with Sweep 2")
    expect(menu).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    items = menu.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    page.keyboard.press("End")
    expect(items.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="More like Sweep 2").click()
    expect(page).to_have_title("Sweep 2 · Segue")


@pytest.mark.mongo
@pytest.mark.browser
def test_a_click_elsewhere_closes_the_menu(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.locator('#for-you [data-track-id="t2"] [data-do="menu"]').click()
    expect(page.get_by_role("menu")).to_be_visible()
    page.get_by_role("heading", name="Trending").click()
    expect(page.get_by_role("menu")).to_be_hidden()
