"""The page of the stream in a browser: is the list fresh, and what was before."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from segue import store
from tests.dashboard.furnished import write_stream
from tests.dashboard.site import Site, list_document

pytestmark = [pytest.mark.mongo, pytest.mark.browser]
TOOK_MS = 20_000
PATH = "/analytics/stream"


def _open(page: Page, site: Site, query: str = "", width: int = 1440) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site.url}{PATH}{query}")
    expect(page.locator("#fresh .verdict")).to_be_visible(timeout=TOOK_MS)


def _report(site: Site, ago_s: float = 0.0) -> None:
    """Let the queries have reported: what was written long ago is bad news."""
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    site.database[store.STREAM_PROGRESS].update_many({}, {"$set": {"updated_at": at}})


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_shows_now_and_what_was_before(
    page: Page, site: Site, width: int
) -> None:
    newest = write_stream(site.database)
    store.upsert(site.database, store.RECOMMENDATIONS, [list_document("ada", ["t1"])])
    _open(page, site, width=width)
    _report(site)
    fresh, yes = page.locator("#fresh .verdict"), "Yes: the last list came 1.0 s after"
    expect(fresh).to_contain_text(f"{yes} its event", timeout=TOOK_MS)
    expect(page.locator("#tiles .tile-value").first).to_have_text("0.73 s")
    for name in ("delays", "rates", "phases", "state", "lag", "messages"):
        drawn = page.locator(f"#{name}-figure .js-plotly-plot")
        expect(drawn).to_have_count(1, timeout=TOOK_MS)
    tables = page.locator("details")
    tables.first.locator("summary").press("Enter")
    rows = page.locator("#delays-table tbody tr")
    expect(rows).to_have_count(30)
    row = rows.filter(has_text=f"{newest:%Y-%m-%d %H:%M}")
    assert row.locator("td").all_text_contents()[1:3] == ["4", "0.73"]
    expect(page.locator("#waiting-table tbody tr")).to_have_count(2)
    expect(page.locator("#ledger")).to_contain_text("0 read: all accounted for")
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_the_line_turns_when_the_stream_is_quiet(page: Page, site: Site) -> None:
    write_stream(site.database)
    _open(page, site)
    said = page.locator("#fresh [role=status]")
    _report(site)
    expect(said).to_have_text("Yes", timeout=TOOK_MS)
    _report(site, ago_s=41)
    expect(said).to_have_text("No", timeout=TOOK_MS)
    line = page.locator("#fresh .verdict")
    expect(line).to_contain_text(re.compile(r"query taste last reported \d+ s ago"))
    assert "is-bad" in str(line.get_attribute("class"))
    _report(site)
    expect(said).to_have_text("Yes", timeout=TOOK_MS)


def test_the_query_is_chosen_by_the_address(page: Page, site: Site) -> None:
    write_stream(site.database)
    _open(page, site)
    page.locator("#phases-table").locator("..").locator("summary").click()
    caption = page.locator("#phases-table caption")
    expect(caption).to_contain_text("micro-batch of taste", timeout=TOOK_MS)
    page.locator("[aria-label=Query] a", has_text="intake").click()
    expect(caption).to_contain_text("micro-batch of intake", timeout=TOOK_MS)
    assert page.url.endswith(f"{PATH}?of=intake")
    page.get_by_role("link", name="24h").click()
    expect(page.locator("#analysis-time")).to_contain_text("a point each 10 minutes")
    page.go_back()
    expect(page.locator("#analysis-time")).to_contain_text(
        "a point each minute", timeout=TOOK_MS
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?of=x", "There is no such query; there are taste and intake."),
        ("?range=x", "There is no range “x”"),
        (
            "?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z",
            "kept for two days; choose a time since then.",
        ),
        ("?from=9999-01-01T00:00:00Z", "begins in the future"),
        ("", "The stream has noted nothing in this time."),
    ],
)
def test_what_cannot_be_shown_is_a_sentence_and_freshness_stays(
    page: Page, site: Site, query: str, said: str
) -> None:
    _open(page, site, query)
    expect(page.locator("#analysis-note")).to_contain_text(said, timeout=TOOK_MS)
    expect(page.locator("#fresh")).to_contain_text("No: query taste has never reported")


def test_dates_that_are_not_counted_are_said(page: Page, site: Site) -> None:
    note = {"n_dates": 2, "first": "2026-05-01", "last": "2026-05-02"}
    store.upsert(site.database, store.STREAM_NOTES, [{"_id": "uncounted", **note}])
    _open(page, site)
    expect(page.locator("#fresh .note")).to_contain_text(
        "2 dates, 2026-05-01 to 2026-05-02, of which nothing is counted yet: run "
        "“segue activity rebuild” once."
    )


def test_files_have_what_the_page_shows(site: Site) -> None:
    write_stream(site.database)

    def rows(name: str) -> list[dict[str, str]]:
        body = site.ask(f"/api/analytics/{name}.csv?range=1h").body.decode()
        return list(csv.DictReader(io.StringIO(body)))

    assert sum(int(row["n_lists"]) for row in rows("delays")) == 120
    queries = [row for row in rows("queries") if row["n_rows"]]
    assert {row["query"] for row in queries} == {"intake", "taste"}
    assert sum(float(row["n_rows"]) for row in queries) == 2 * 30 * 60
    assert sum(int(row["rejected_not_json"]) for row in rows("messages")) == 30
    assert site.ask("/api/analytics/queries.parquet").status == 200
