"""The page of recommendations in a browser: its numbers, its address, its moves."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from segue import store
from segue.reports import keep_report
from segue.store import Document
from tests.dashboard.analytics.served import Shown, write_shown
from tests.dashboard.analytics.test_offline import EVALUATION, FACTS
from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser]
TOOK_MS = 20_000
TRACKS = [f"t{number}" for number in range(6)]


def filled(site: Site) -> Shown:
    """Show and play lists of the site's tracks; a model was trained and judged."""
    now = datetime.now(UTC)
    shown = write_shown(site.database, now, 80, timedelta(days=3), TRACKS)
    place = site.home / "models" / "m1"
    place.mkdir(parents=True)
    (place / "model.json").write_text(json.dumps(FACTS))
    keep_report(site.home, "evaluation", EVALUATION, now)
    return shown


def opened(page: Page, site: Site, query: str = "") -> None:
    page.goto(f"{site.url}/analytics/quality{query}")
    expect(page.locator("#quality-tiles .tile")).to_have_count(8, timeout=TOOK_MS)


def value(page: Page, name: str) -> str:
    tile = page.locator("#quality-tiles .tile", has_text=name).first
    return tile.locator(".tile-value").text_content() or ""


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_shows_what_sql_says(page: Page, site: Site, width: int) -> None:
    shown = filled(site)
    page.set_viewport_size({"width": width, "height": 844})
    opened(page, site)
    (n,) = shown.sql.sums()
    assert value(page, "CTR") == percent(n["n_started"], n["n_rows"])
    assert value(page, "Hit rate") == percent(n["n_lists_hit"], n["n_lists"])
    assert value(page, "Fresh") == percent(n["n_fresh"], n["n_rows"])
    figures = page.locator("#analysis-body .js-plotly-plot")
    expect(figures).to_have_count(4, timeout=TOOK_MS)
    for summary in page.locator("#analysis-body summary").all():
        summary.press("Enter")
    played = page.locator("#funnel-table tbody tr").nth(1).locator("td").nth(1)
    expect(played).to_have_text(f"{n['n_started']:,}")
    expect(page.locator("#versions-table tbody tr")).to_have_count(3)
    expect(page.locator("#offline")).to_contain_text("0.250 (0.200 to 0.300)")
    expect(page.locator("#offline")).to_contain_text("0.125 (0.100 to 0.150)")
    expect(page.locator("#listed-table tbody tr").first).to_contain_text("All")
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["target"]) for each in found] == []


def test_the_address_says_what_is_shown(page: Page, site: Site) -> None:
    shown = filled(site)
    opened(page, site)
    page.get_by_label("Surface").select_option("radio")
    page.locator("select[name=model]").select_option("m2")
    page.get_by_role("button", name="Apply").click()
    (n,) = shown.sql.sums((), "surface = 'radio' and model = 'm2'")
    rows = page.locator("#quality-tiles .tile", has_text="CTR")
    expect(rows).to_contain_text(f"of {n['n_rows']:,} rows", timeout=TOOK_MS)
    assert page.url.endswith("/analytics/quality?surface=radio&model=m2")
    expect(page.locator("#versions-table tbody tr")).to_have_count(1)
    opened(page, site, "?surface=radio&model=m2&range=30d")
    expect(page.locator("select[name=model]")).to_have_value("m2", timeout=TOOK_MS)
    expect(rows).to_contain_text(f"of {n['n_rows']:,} rows")
    expect(page.locator("#analysis-time")).to_contain_text("by days")
    path = page.get_by_label("Versions as CSV").get_attribute("href")
    body = site.ask(str(path)).body.decode()
    (told,) = csv.DictReader(io.StringIO(body))
    assert (told["model"], int(told["n_started"])) == ("m2", n["n_started"])


def test_it_moves_when_more_was_counted(page: Page, site: Site) -> None:
    filled(site)
    opened(page, site)
    before = value(page, "CTR")
    served = site.database[store.SERVED]
    more = {"$inc": {"n_started": 1}, "$currentDate": {"updated_at": True}}
    served.update_many({"level": "day"}, more)
    page.wait_for_function(
        "was => document.querySelector('#quality-tiles .tile-value')"
        ".textContent !== was",
        arg=before,
        timeout=TOOK_MS,
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?model=%24where", "No list that fits was shown in this time."),
        ("?surface=%3Cscript%3E", "No list that fits was shown in this time."),
        ("?from=9999-01-01T00:00:00Z", "begins in the future"),
        ("?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z", "No list that fits"),
        ("?range=NaN", "There is no range “NaN”"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(
    page: Page, site: Site, query: str, said: str
) -> None:
    filled(site)
    page.goto(f"{site.url}/analytics/quality{query}")
    expect(page.locator("#analysis-note")).to_contain_text(said, timeout=TOOK_MS)


def test_of_nothing_at_all_there_is_a_sentence(page: Page, site: Site) -> None:
    for query in ("", "?range=all"):
        page.goto(f"{site.url}/analytics/quality{query}")
        note = page.locator("#analysis-note")
        expect(note).to_contain_text("list", timeout=TOOK_MS)
        expect(note).to_contain_text("shown")


def test_damage_is_told(page: Page, site: Site) -> None:
    filled(site)
    damage: Document = {"$set": {"by_rank": "none"}}
    site.database[store.SERVED].update_one({"level": "day"}, damage)
    (site.home / "models" / "m1" / "model.json").write_text("{")
    opened(page, site)
    said = "1 of the documents of this time cannot be read"
    expect(page.locator("#analysis-note")).to_contain_text(said)
    expect(page.locator("#offline")).to_contain_text("The model m1 cannot be shown")
