"""The settings in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.theme import THEMES
from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
GROUND = "getComputedStyle(document.documentElement).getPropertyValue('--bg')"


def _painted(page: Page) -> tuple[str, str | None]:
    scheme = page.locator("html").get_attribute("data-mantine-color-scheme")
    return page.evaluate(GROUND), scheme


def test_a_theme_that_is_chosen_stays_and_is_there_before_anything_is_painted(
    page: Page, site: Site
) -> None:
    dark, light = (THEMES[name]["bg"] for name in ("dark", "light"))
    page.emulate_media(color_scheme="dark")
    page.goto(f"{site.url}/settings")
    group = page.get_by_role("group", name="Theme")
    system = group.get_by_role("button", name="As the system")
    expect(system).to_have_attribute("aria-pressed", "true")
    assert _painted(page) == (dark, "dark")
    group.get_by_role("button", name="Light").click()
    expect(system).to_have_attribute("aria-pressed", "false")
    assert _painted(page) == (light, "light")
    # the same before one's log-in, and while no script of the page has run yet
    page.route("**/_dash-component-suites/**", lambda route: route.abort())
    page.route("**/scripts/*.js?m=*", lambda route: route.abort())
    door = page.context.new_page()
    door.goto(f"{site.url}/log-in")
    assert door.evaluate(GROUND) == light
    door.close()
    other = page.context.new_page()
    other.route("**/*.js?*", lambda route: route.abort())
    other.route("**/_dash-component-suites/**", lambda route: route.abort())
    other.goto(f"{site.url}/")
    assert other.evaluate(GROUND) == light
    other.close()
    group.get_by_role("button", name="As the system").click()
    assert _painted(page) == (dark, "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert _painted(page) == (light, "light")


def test_shortcuts_are_one_switch_in_two_places(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings")
    switch = page.get_by_role("switch", name="Shortcuts")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "false")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    in_help = page.get_by_label("Shortcuts are on")
    expect(in_help).not_to_be_checked()
    in_help.check()
    expect(switch).to_have_attribute("aria-checked", "true")


def test_a_token_is_made_and_revoked_in_the_page(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#token-said code").inner_text()
    named = {"Authorization": f"Token {token}"}
    assert site.ask("/1/validate-token", headers=named).status == 200
    made = re.compile(r"made on \d{1,2} [A-Z][a-z]+ \d{4}")
    expect(page.locator("#tokens li")).to_contain_text(made)
    page.get_by_role("button", name="Revoke the token").click()
    expect(page.locator("#tokens li")).to_have_count(0)
    expect(page.locator("#token-said")).to_contain_text("opens nothing any more")
