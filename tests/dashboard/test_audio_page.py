"""The page Audio space in a browser: what it shows, and that the address says all."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Page, expect

from dashboard.dates import moment
from segue import store
from tests.dashboard.site import Site
from tests.segue.audio_space import report_document

pytestmark = [pytest.mark.mongo, pytest.mark.browser]
TOOK_MS = 20_000
NOW = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
PATH = "/analytics/audio"


def _reported(site: Site) -> None:
    reports = [
        report_document("old", NOW - timedelta(days=9), louder=-1.0),
        report_document("before", NOW - timedelta(days=1), louder=0.3),
        report_document("newest", NOW),
    ]
    store.upsert(site.database, store.AUDIO_REPORTS, reports)


def _cells(page: Page, part: str, row: int) -> Sequence[str]:
    rows = page.locator(f"#audio-{part} tbody tr")
    return rows.nth(row).locator("td").all_text_contents()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_newest_report_is_shown_against_the_one_before(
    page: Page, site: Site, width: int
) -> None:
    _reported(site)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(site.url + PATH)
    about = page.locator("#analysis-time")
    expect(about).to_contain_text(
        f"Report of {moment(NOW)} UTC on index newest. 50 of its 200 tracks were",
        timeout=TOOK_MS,
    )
    tiles = page.locator("#audio-tiles .tile-value")
    assert tiles.all_text_contents() == ["200", "0.80", "1", "2", "1"]
    expect(page.locator("#audio-hubs")).to_contain_text("skew 2.50, 20.0% of tracks")
    expect(page.locator("#audio-drift")).to_contain_text(
        "The features have little moved since the report of 2 May 2026, 21:40 UTC: "
        "by 0.30 deviations at most, in loudness."
    )
    expect(page.locator("#audio-drift")).to_contain_text("0.60 deviations: other music")
    for name in ("hubs", "drift"):
        drawn = page.locator(f"#audio-{name}-figure .js-plotly-plot")
        expect(drawn).to_be_visible(timeout=TOOK_MS)
    for part in page.locator("#analysis-body summary").all():
        part.press("Enter")
    assert _cells(page, "hubs-table", 3) == ["3 to 4", "40", "60"]
    moved = ["loudness", "0.15", "0.30", "loudness[0]", "0.60"]
    assert _cells(page, "drift-table", 0) == moved
    dead, twin = (_cells(page, "dimensions", row)[:2] for row in (0, 1))
    assert (dead[0], dead[1]) == ("timbre[2]", "dead")
    assert twin[1] == "repeats timbre[1], r = -0.9995"
    expect(page.locator("#audio-failures")).to_contain_text("A/<i>broken</i>.mp3")
    expect(page.locator("#audio-recordings")).to_contain_text("Sweep 1 · Artist 0")
    expect(page.locator("#audio-copies")).to_contain_text("C/<b>1</b>.ogg")
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_the_address_says_which_two_are_compared(page: Page, site: Site) -> None:
    _reported(site)
    page.goto(site.url + PATH)
    page.get_by_label("Compared with").select_option("old", timeout=TOOK_MS)
    page.get_by_role("button", name="Apply").click()
    far = "Far from the report of 24 April 2026, 21:40 UTC: loudness."
    expect(page.locator("#audio-drift")).to_contain_text(far)
    assert page.url.endswith(f"{PATH}?before=old")
    link = page.locator("#audio-drift a", has_text="CSV")
    assert link.get_attribute("href") == "/api/analytics/drift.csv?before=old"
    shared = page.url
    page.locator("select[name=report]").select_option("old")
    page.get_by_label("Compared with").select_option("")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#audio-drift")).to_contain_text("There is no earlier report")
    page.goto(shared)
    expect(page.locator("#audio-drift")).to_contain_text(far, timeout=TOOK_MS)
    expect(page.get_by_label("Compared with")).to_have_value("old")


def test_a_new_report_shows_by_itself(page: Page, site: Site) -> None:
    page.goto(site.url + PATH)
    note = page.locator("#analysis-note")
    expect(note).to_contain_text("`segue features report`", timeout=TOOK_MS)
    expect(page.locator("#analysis-body")).to_be_hidden()
    _reported(site)
    expect(page.locator("#audio-tiles .tile-value").first).to_have_text("200")
    expect(note).to_be_empty()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?report=gone", "There is no report “gone”"),
        ("?before=%3Cb%3E", "There is no report “<b>”"),
        ("?report=broken", "The report “broken” is damaged"),
        (f"?report={'x' * 3000}", "This address is too long"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(
    page: Page, site: Site, query: str, said: str
) -> None:
    _reported(site)
    broken = {"_id": "broken", "made_at": NOW, "n_tracks": 3, "hubs": "none"}
    store.upsert(site.database, store.AUDIO_REPORTS, [broken, {"_id": "nothing"}])
    page.goto(f"{site.url}{PATH}{query}")
    note = page.locator("#analysis-note")
    expect(note).to_contain_text(said, timeout=TOOK_MS)
    expect(page.locator("#analysis-body")).to_be_hidden()


def test_files_have_what_the_page_shows(site: Site) -> None:
    _reported(site)
    body = site.ask("/api/analytics/failures.csv").body.decode()
    first, second = csv.DictReader(io.StringIO(body))
    assert first["path"] == "A/<i>broken</i>.mp3"
    assert first["message"] == "'=nothing reads it"
    assert (second["stage"], second["retry"]) == ("time", "True")
    dims = _parquet(site, "dimensions")
    assert dims["dimension"].tolist() == [
        *(f"timbre[{n}]" for n in range(3)),
        *(f"loudness[{n}]" for n in range(2)),
    ]
    assert dims["is_dead"].tolist() == [False, False, True, False, False]
    assert _parquet(site, "hubs").iloc[:, 1].sum() == 200
    tracks = _parquet(site, "recordings")
    assert tracks["title"].tolist() == ["Sweep 1", "Sweep 2"]
    assert _parquet(site, "copies")["n"].tolist() == [3, 3, 3]
    drift = _parquet(site, "drift", "?report=before&before=old")
    assert drift["most"].max() == pytest.approx(1.3)


def test_a_file_of_no_report_says_so(site: Site) -> None:
    answer = site.ask("/api/analytics/drift.csv")
    assert answer.status == 404
    detail = json.loads(answer.body)["error"]["detail"]
    assert "There is no report on the audio space yet." in detail


def _parquet(site: Site, name: str, query: str = "") -> pd.DataFrame:
    body = site.ask(f"/api/analytics/{name}.parquet{query}").body
    return pd.read_parquet(io.BytesIO(body))
