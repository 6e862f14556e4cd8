"""The page of listeners in a browser, as an admin and as an analyst see it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from segue import store
from segue.names import genre_id_of
from segue.roles import Identity, Role
from tests.dashboard.analytics.played import Library, simulated, write
from tests.dashboard.analytics.together import (
    taste_days,
    write_index,
    write_population,
)
from tests.dashboard.furnished import with_ids
from tests.dashboard.site import Site, write_library

pytestmark = [pytest.mark.mongo, pytest.mark.browser]
TOOK_MS = 20_000
PATH = "/analytics/listeners"
STYLES = ["house", "ambient", "dub"]


def _fill(site: Site) -> None:
    tracks = [with_ids(each) for each in write_library(site.library)]
    store.upsert(site.database, store.TRACKS, tracks)
    genres = [{"_id": genre_id_of(s), "name": s, "n_tracks": 1} for s in STYLES]
    store.upsert(site.database, store.GENRES, genres)
    names = [each["_id"] for each in tracks]
    now = datetime.now(UTC)
    write_index(site.home, names)
    keys = [genre_id_of(style) for style in STYLES]
    write_population(site.database, now.date(), keys, names)
    shelf = Library(dict.fromkeys(names, "a"), {name: [] for name in names})
    write(site.database, simulated(now, timedelta(days=5), 400, names), shelf, now)
    days = {
        now.date() - timedelta(days=n): {names[n % len(names)]: (1.0, 0.0)}
        for n in range(1, 9)
    }
    store.upsert(site.database, store.TASTE_DAYS, taste_days("carl", days))


def _open(page: Page, site: Site, query: str = "") -> None:
    page.goto(f"{site.url}{PATH}{query}")
    choices = page.locator("#analysis-controls .choices").first
    expect(choices).to_be_visible(timeout=TOOK_MS)


def _drawn(page: Page, name: str) -> None:
    figure = page.locator(f"#{name} .js-plotly-plot")
    expect(figure).to_be_visible(timeout=TOOK_MS)


@pytest.mark.parametrize("width", [1440, 390])
def test_an_admin_sees_all_of_it(page: Page, site: Site, width: int) -> None:
    _fill(site)
    page.set_viewport_size({"width": width, "height": 844})
    _open(page, site)
    for name in ("sessions", "lengths", "heat", "cohorts", "kept"):
        _drawn(page, f"{name}-figure")
    rows = page.locator("#clusters tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("house, ambient")
    page.get_by_label("Listener", exact=True).fill("carl")
    page.get_by_role("button", name="Show").click()
    note = page.locator("#trajectory-note")
    expect(note).to_contain_text("carl, 8 dates", timeout=TOOK_MS)
    assert page.url.endswith(f"{PATH}?listener=carl")
    _drawn(page, "trajectory-figure")
    for each in page.locator(".analysis summary").all():
        each.click()
    expect(page.locator("#trajectory-table tbody tr")).to_have_count(8)
    expect(page.locator("#cohorts-table tbody tr").first).to_contain_text("100%")
    page.wait_for_function("() => document.querySelectorAll('.main-svg').length > 5")
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_the_address_says_what_is_shown(page: Page, site: Site) -> None:
    _fill(site)
    _open(page, site, "?range=30d")
    page.get_by_label("Time zone of the heat map").fill("Asia/Tokyo")
    page.get_by_role("button", name="Apply").click()
    words = page.locator("#heat-words")
    expect(words).to_contain_text("Asia/Tokyo", timeout=TOOK_MS)
    page.get_by_role("link", name="Heat map of listeners").click()
    chosen = page.locator("#analysis-controls a[aria-current]").last
    expect(chosen).to_have_text("Heat map of listeners", timeout=TOOK_MS)
    assert page.url.endswith(f"{PATH}?range=30d&of=listeners&zone=Asia%2FTokyo")
    page.reload()
    expect(words).to_contain_text("Asia/Tokyo", timeout=TOOK_MS)
    page.go_back()
    expect(chosen).to_have_text("Heat map of plays", timeout=TOOK_MS)
    page.goto(f"{site.url}{PATH}?zone=Mars/Olympus")
    note = page.locator("#analysis-note")
    expect(note).to_contain_text("There is no time zone", timeout=TOOK_MS)
    expect(page.locator("#clusters")).to_be_hidden()


def test_another_run_shows_by_itself(page: Page, site: Site) -> None:
    _open(page, site)
    note = page.locator("#analysis-note")
    expect(note).to_contain_text("“segue population” does it", timeout=TOOK_MS)
    _fill(site)
    expect(page.locator("#clusters tbody tr")).to_have_count(2, timeout=TOOK_MS)
    expect(note).to_have_text("")


def test_an_analyst_reads_why_it_is_not_there(browser: Browser, site: Site) -> None:
    _fill(site)
    context = browser.new_context()
    for each in site.log_in(Identity("mara", Role.ANALYST)).cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    told: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda text: told.append(str(text))),
    )
    _open(page, site, "?listener=carl")
    expect(page.locator("#clusters tbody tr")).to_have_count(2, timeout=TOOK_MS)
    expect(page.locator(".analysis")).to_contain_text("shown to admins alone")
    expect(page.locator("#trajectory-figure")).to_have_count(0)
    # who asks the socket for it by hand gets nothing, and is sent away
    code = page.evaluate(
        """(asked) => new Promise((resolve) => {
            const url = location.origin.replace("http", "ws") + "/ws/live";
            const socket = new WebSocket(url);
            socket.onopen = () => socket.send(asked);
            socket.onclose = ({ code }) => resolve(code);
        })""",
        json.dumps({"page": "analytics-trajectory", "key": "listener=carl"}),
    )
    assert code == 1008
    assert told
    assert not any("trajectory" in each or "8 dates" in each for each in told)
    context.close()
