"""Every page, at both widths and in both themes: judged by axe-core, and drawn.

The pages are those of `dashboard.access`, so that none can be forgotten. Their
pictures are written to `var/screenshots/`.
"""

import uuid
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pydantic import SecretStr

from dashboard.access import DOORS
from segue.settings import Settings
from tests.conftest import CHECKOUT
from tests.dashboard.furnished import ALL_PAGES, address, furnished
from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
SCREENSHOTS: Final = CHECKOUT / "var" / "screenshots"
SIZES: Final = {1440: 900, 390: 844}
THEMES: Final = ("dark", "light")
RULES: Final = {
    "runOnly": {
        "type": "tag",
        "values": [
            *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"),
            "best-practice",
        ],
    }
}
# a gradient behind the words, a sign alone, a table's column that is half scrolled out:
# what axe-core does not judge, nor the words in a figure; `test_theme` computes the
# contrasts of the colours that are used there
MAY_BE_OPEN: Final = {
    *("bgGradient", "nonBmp", "shortTextContent", "elmPartiallyObscured")
}


@pytest.fixture(scope="module")
def rooms(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all pages: they are only looked at."""
    folder = tmp_path_factory.mktemp("rooms")
    settings = Settings.model_validate(
        {
            "home": folder / "home",
            "mongo": {"uri": SecretStr(mongo_uri), "database": f"t{uuid.uuid4().hex}"},
            "dashboard": {"port": 0},
        }
    )
    with furnished(settings, folder / "music") as site:
        yield site
        site.database.client.drop_database(site.database.name)


@pytest.fixture(scope="module")
def visits(browser: Browser, rooms: Site) -> Iterator[dict[bool, BrowserContext]]:
    """A browser of somebody who has logged in, and one of somebody who has not."""
    contexts = {
        knows: browser.new_context(reduced_motion="reduce") for knows in (True, False)
    }
    for each in rooms.log_in().cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": rooms.url}
        contexts[True].add_cookies([cookie])  # type: ignore[list-item]
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.mark.parametrize("name", ALL_PAGES)
def test_a_page_is_for_everybody(
    rooms: Site, visits: dict[bool, BrowserContext], name: str
) -> None:
    page = visits[f"/{name}" not in DOORS].new_page()
    page.goto(rooms.url + address(name, rooms.database))
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("h1")).not_to_have_text("Not there")
    page.wait_for_load_state("networkidle")
    expect(page.locator(".ghost")).to_have_count(0)
    complaints = []
    for width, theme in product(SIZES, THEMES):
        _show(page, width, theme)
        picture = (
            SCREENSHOTS / f"{name.replace('/', '-') or 'home'}-{width}-{theme}.png"
        )
        page.screenshot(path=picture)
        complaints += [f"{width}, {theme}: {each}" for each in _complaints(page)]
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        if wide > width:
            complaints.append(f"{width}: scrolls sideways, to {wide} px")
    page.close()
    assert "\n".join(complaints) == ""


def _show(page: Page, width: int, theme: str) -> None:
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    expect(page.locator("html")).to_have_attribute("data-theme", theme)


def _complaints(page: Page) -> list[str]:
    """Return what axe-core finds wrong, and the contrasts that it cannot judge."""
    found: dict[str, Any] = Axe().run(page, options=RULES).response
    wrong = [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    judged = {each["id"] for each in found["passes"]}
    assert "color-contrast" in judged
    open_ones = (each for each in found["incomplete"] if each["id"] == "color-contrast")
    return wrong + [
        f"contrast not judged: {node['target']} {why['data']}"
        for rule in open_ones
        for node in rule["nodes"]
        if not node["html"].startswith("<text")
        for why in node["any"]
        if why["data"]["messageKey"] not in MAY_BE_OPEN
    ]
