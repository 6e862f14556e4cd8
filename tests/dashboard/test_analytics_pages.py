"""The analysts' pages in a browser: what they show, and that the address says all."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pandas as pd  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Page, expect

from dashboard.access import ANALYSES
from dashboard.analytics.page import PAGES
from segue import store
from segue.names import genre_id_of
from segue.store import Document
from tests.dashboard.analytics.played import Library, simulated, write
from tests.dashboard.furnished import with_ids
from tests.dashboard.site import Site, write_library

pytestmark = [pytest.mark.mongo, pytest.mark.browser]
TOOK_MS = 20_000
HOUSE = genre_id_of("house")


def _filled(site: Site) -> pd.DataFrame:
    """Write a library and the plays of two hours; return their events."""
    tracks = [with_ids(each) for each in write_library(site.library)]
    store.upsert(site.database, store.TRACKS, tracks)
    genres = {each["genre_ids"][0]: each["genre"] for each in tracks}
    named: list[Document] = [
        {"_id": key, "name": name, "n_tracks": 1} for key, name in genres.items()
    ]
    store.upsert(site.database, store.GENRES, named)
    now = datetime.now(UTC)
    events = simulated(now, timedelta(hours=2), 200, [*_shelf(tracks).artist_of])
    write(site.database, events, _shelf(tracks), now)
    return events


def _shelf(tracks: list[Document]) -> Library:
    return Library(
        {each["_id"]: each["artist_id"] for each in tracks},
        {each["_id"]: each["genre_ids"] for each in tracks},
    )


def _ends(events: pd.DataFrame) -> pd.DataFrame:
    return events[events["action"] != "started"]


def _rows(page: Page) -> list[str]:
    return page.locator("#ranking tbody tr .way").all_text_contents()


def _open(page: Page, site: Site, path: str) -> None:
    page.goto(site.url + path)
    expect(page.locator("#analysis-controls .choices").first).to_be_visible(
        timeout=TOOK_MS
    )


def test_every_page_has_its_route() -> None:
    assert [page.key for page in PAGES] == ["", *ANALYSES]


def test_now_shows_the_plays_and_moves_by_itself(page: Page, site: Site) -> None:
    events = _filled(site)
    _open(page, site, "/analytics?range=6h")
    plays = page.locator("#now-tiles .tile-value").last
    expect(plays).to_have_text(str(len(_ends(events))), timeout=TOOK_MS)
    expect(page.locator("#now-figure .js-plotly-plot")).to_have_count(1)
    # the frame's link stays the chosen one
    expect(page.locator("a.nav[aria-current]")).to_have_text("Analytics")
    at = datetime.now(UTC)
    listen = {
        **{"_id": "ada|secret-play", "user_id": "ada", "play_id": "secret-play"},
        **{"session_id": "secret-session", "track_id": "t2", "action": "skipped"},
        **{"listened_at": at, "source": {"surface": "radio"}, "weight": -1.0},
    }
    store.upsert(site.database, store.LISTENS, [listen])
    first = page.locator("#now-feed li").first
    # 2 s are wanted; a machine that runs other tests may take longer
    expect(first).to_contain_text("Sweep 2 skipped", timeout=5000)
    expect(first).to_contain_text("radio")
    assert "secret" not in page.content()
    more = pd.concat([events, simulated(at, timedelta(seconds=1), 5, ["t1"], 7)])
    shelf = _shelf(list(site.database[store.TRACKS].find()))
    write(site.database, more.reset_index(drop=True), shelf, at)
    expect(plays).to_have_text(str(len(_ends(more))), timeout=TOOK_MS)


def test_the_address_says_what_is_shown(page: Page, site: Site) -> None:
    events = _filled(site)
    _open(page, site, "/analytics/tracks?range=6h")
    counts = _ends(events)["track_id"].value_counts()
    top = f"Sweep {counts.index[0][1:]}"
    expect(page.locator("#ranking tbody .way").first).to_have_text(top, timeout=TOOK_MS)
    n_all = len(_rows(page))
    page.locator("#ranking th a", has_text="Skips").click()
    expect(page.locator("th[aria-sort]")).to_have_text("Skips")
    # the table is changed in place: who had chosen the order goes on there
    expect(page.locator("th[aria-sort] a")).to_be_focused()
    expect(page.locator("#ranking tbody .spark svg")).to_have_count(n_all)
    page.get_by_label("Style").select_option(HOUSE)
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#ranking tbody tr")).to_have_count(2)
    expect(page.locator("#ranking tbody .spark svg")).to_have_count(2)
    assert page.url.endswith(f"/analytics/tracks?range=6h&sort=skips&style={HOUSE}")
    shared = page.url
    page.get_by_role("link", name="24h").click()
    expect(page.locator("#analysis-time")).to_contain_text("by hours")
    page.go_back()
    expect(page.locator("#analysis-time")).to_contain_text("by minutes")
    page.go_back()
    expect(page.locator("#ranking tbody tr")).to_have_count(n_all)
    expect(page.get_by_label("Style")).to_have_value("")
    page.goto(shared)
    expect(page.locator("#ranking tbody tr")).to_have_count(2, timeout=TOOK_MS)
    expect(page.get_by_label("Style")).to_have_value(HOUSE)
    expect(page.locator("th[aria-sort]")).to_have_text("Skips")


def test_a_track_shows_where_it_is_left(page: Page, site: Site) -> None:
    events = _filled(site)
    _open(page, site, "/analytics/tracks?range=6h")
    expect(page.locator("#chosen-track")).to_be_hidden()
    # by keys alone
    page.locator("#ranking tbody .way", has_text="Sweep 1").focus()
    page.keyboard.press("Enter")
    n = (_ends(events)["track_id"] == "t1").sum()
    chosen = page.locator("#chosen-title")
    said = f"Sweep 1 · Artist 0 · {n} ends"
    expect(chosen).to_contain_text(said, timeout=TOOK_MS)
    drawn = page.locator("#retention-figure .js-plotly-plot")
    expect(drawn).to_be_visible(timeout=TOOK_MS)
    page.locator("#chosen-track summary").press("Enter")
    cells = page.locator("#positions-table tbody tr").first.locator("td")
    expect(cells.nth(1)).to_have_text("100.0 %")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("?surface=nowhere", "Nothing was played of the surface “nowhere” in this"),
        ("?artist=x", "Nothing was played of the artist “Unknown artist x” in this"),
        ("/tracks?style=x", "Nothing that fits was played in this time."),
        ("?surface=home&style=x", "not by both at once"),
        ("/tracks?from=0001-01-01T00:00:00Z", "begins in 1; nothing is older"),
        ("/tracks?from=9999-01-01T00:00:00Z", "begins in the future"),
        ("?range=NaN", "There is no range “NaN”"),
        ("?from=2026-05-01T00:00:00%2B99:00", "want a time as 2026"),
        (f"?surface={'x' * 3000}", "This address is too long"),
        (f"?surface={'%5C' * 90}", "Nothing was played of the surface"),
        ("?surface=%ED%A0%80%00%3Cscript%3E", "Nothing was played of the surface"),
        ("/tracks?sort=%24where", "There is no such order"),
        ("/tracks?of=zzz", "There is no such ranking"),
        ("/listeners?style=dub", "cannot be chosen by style"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(
    page: Page, site: Site, path: str, said: str
) -> None:
    _filled(site)
    _open(page, site, f"/analytics{path}")
    expect(page.locator("#analysis-note")).to_contain_text(said, timeout=TOOK_MS)
    # and from there it goes on
    page.get_by_role("link", name="all").click()
    expect(page.locator("#analysis-note")).not_to_contain_text("range")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["", "?range=all", "/tracks", "/stream"])
def test_of_nothing_at_all_there_is_a_sentence(
    page: Page, site: Site, path: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site.url}/analytics{path}")
    said = "#stream-table" if path == "/stream" else "#analysis-note"
    expect(page.locator(said)).to_contain_text(
        "No stream has reported" if path == "/stream" else "was played",
        timeout=TOOK_MS,
    )
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_files_have_what_the_page_shows(site: Site) -> None:
    events = _filled(site)
    path = "/api/analytics/tracks.csv?range=6h&sort=heard"
    rows = list(csv.DictReader(io.StringIO(site.ask(path).body.decode())))
    by_track = _ends(events).groupby("track_id")
    heard = by_track["played_ms"].sum().sort_values(ascending=False)
    assert [row["key"] for row in rows] == list(heard.index)
    assert [int(row["heard_ms"]) for row in rows] == list(heard)
    parquet = site.ask("/api/analytics/plays.parquet?range=6h&surface=home")
    found = pd.read_parquet(io.BytesIO(parquet.body))
    home = _ends(events)[_ends(events)["surface"] == "home"]
    assert found["n_plays"].sum() == len(home)
    named = parquet.headers["content-disposition"]
    times = re.fullmatch(
        r'attachment; filename="plays_(\d{8}T\d{4})Z_to_(\d{8}T\d{4})Z\.parquet"', named
    )
    assert times is not None
    start, end = (pd.to_datetime(each, utc=True) for each in times.groups())
    minute = timedelta(minutes=1)
    assert (start, end) == (found["start"].min(), found["start"].max() + minute)


def test_a_title_that_a_spreadsheet_would_compute_is_text(site: Site) -> None:
    _filled(site)
    evil = {"$set": {"title": "=cmd|' /C calc'!A0"}}
    site.database[store.TRACKS].update_one({"_id": "t1"}, evil)
    body = site.ask("/api/analytics/tracks.csv?range=6h").body.decode()
    (row,) = [r for r in csv.DictReader(io.StringIO(body)) if r["key"] == "t1"]
    assert row["name"] == "'=cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    "path",
    [
        "tracks.csv?range=x",
        "plays.parquet?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z",
        "artists.csv?style=x",
        *(
            f"{name}.csv?style=x"
            for name in ("served", "listed", "heatmap", "sessions")
        ),
        *(
            "tracks.csv?surface=x",
            "tracks.csv?track=t1",
            "queries.csv?surface=x",
            "drift.csv?style=x",
        ),
        "tracks.csv?sort=x",
        f"tracks.csv?style={'x' * 5000}",
    ],
)
def test_a_file_that_cannot_be_made_says_why(site: Site, path: str) -> None:
    answer = site.ask(f"/api/analytics/{path}")
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["detail"].endswith(".")
