"""The taste map in a browser: points, lasso, table, playlist, and rings that move."""

import base64
import json
import logging
import re
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from segue import store
from segue.map_layers import write_umap
from segue.names import genre_id_of
from tests.dashboard.analytics.mapped import STYLES, write_days, write_map
from tests.dashboard.site import Site
from tests.dashboard.test_pages import RULES

pytestmark = [pytest.mark.mongo, pytest.mark.browser]
TOOK_MS = 30_000
_LOG = logging.getLogger(__name__)
API = "/api/analytics/map"
DUB = genre_id_of("dub")


def _open(page: Page, site: Site, query: str = "") -> None:
    page.goto(f"{site.url}/analytics/map{query}")
    expect(page.locator("#map-legend tbody tr").first).to_be_visible(timeout=TOOK_MS)


def _drawn(page: Page, n: int) -> None:
    """Wait until so many points are drawn."""
    canvas = page.locator("#map-points canvas")
    expect(canvas).to_have_attribute("data-drawn", str(n), timeout=TOOK_MS)
    page.wait_for_function(
        """() => {
          const plot = document.querySelector("#map-figure .js-plotly-plot");
          return plot !== null && plot.isHeard === true;
        }""",
        timeout=TOOK_MS,
    )


def test_a_lasso_becomes_a_table_becomes_a_playlist(page: Page, site: Site) -> None:
    write_map(site.database, site.home, 200)
    _open(page, site)
    _drawn(page, 200)
    rows = page.locator("#map-legend tbody tr")
    assert rows.all_inner_texts() == [f"{style}\n\t50" for style in STYLES]
    # around the right half
    page.evaluate("document.querySelector('.map').scrollIntoView({block: 'center'})")
    box = page.locator("#map-figure .nsewdrag").first.bounding_box()
    assert box is not None
    left, right = box["x"] + box["width"] / 2, box["x"] + box["width"] - 4
    top, bottom = box["y"] + 4, box["y"] + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    words = page.locator("#map-chosen .facts")
    expect(words).to_contain_text("chosen", timeout=TOOK_MS)
    answer = json.loads(site.ask(f"{API}/figure").body)
    wanted = _right_half(answer["figure"])
    said = re.match(r"(\d+) tracks are chosen", words.inner_text())
    assert said is not None
    # the edge of the lasso is a pixel wide
    assert abs(int(said[1]) - len(wanted)) <= 4
    listed = page.locator("[data-map-track]")
    ids = [each.get_attribute("data-map-track") for each in listed.all()]
    assert len(ids) == int(said[1])
    page.get_by_role("button", name=f"Make a playlist of these {said[1]}").click()
    toast = page.locator("#toast")
    expect(toast).to_contain_text("From the taste map", timeout=TOOK_MS)
    (kept,) = site.database[store.PLAYLISTS].find()
    assert (kept["user_id"], kept["track_ids"]) == ("ada", ids)
    toast.get_by_role("button", name="Open").click()
    expect(page.locator("h1")).to_contain_text("From the taste map", timeout=TOOK_MS)


def _right_half(figure: dict[str, Any]) -> list[int]:
    """Return the points of a figure that lie right of the middle."""
    found: list[int] = []
    for trace in figure["data"]:
        x = np.frombuffer(base64.b64decode(trace["x"]["bdata"]), "<i2")
        points = np.frombuffer(base64.b64decode(trace["customdata"]["bdata"]), "<i4")
        found += points[x > 0].tolist()
    return found


def _ring(page: Page, name: str) -> tuple[float, float]:
    """Return where a ring lies, in pixels of the map."""
    ring = page.locator(f"#map-rings g:has(title:text-is('{name}'))")
    told = ring.evaluate("each => each.style.transform")
    x, y = re.findall(r"-?[\d.]+", told)
    return float(x), float(y)


def _wanted(page: Page, place: list[float]) -> tuple[float, float]:
    """Return where a place of the map lies, as Plotly's own axes say."""
    x, y = page.evaluate(
        """place => {
          const { xaxis, yaxis } =
            document.querySelector("#map-figure .js-plotly-plot")._fullLayout;
          const at = (axis, value) => axis._offset + axis.l2p(value);
          return [at(xaxis, place[0]), at(yaxis, place[1])];
        }""",
        place,
    )
    return float(x), float(y)


def test_rings_move_with_the_dates(page: Page, site: Site) -> None:
    index = write_map(site.database, site.home, 200)
    write_days(site.database, index, datetime.now(UTC), (40, 30), 12)
    told = json.loads(site.ask(f"{API}/movement").body)
    moving, last = told["moving"][0], len(told["dates"]) - 1
    _open(page, site)
    _drawn(page, 200)
    slider = page.get_by_label("Date", exact=True)
    expect(slider).to_have_value(str(last), timeout=TOOK_MS)
    expect(slider).to_have_attribute("aria-valuetext", told["days"][-1])
    wanted = _wanted(page, moving["places"][last])
    assert _ring(page, moving["name"]) == pytest.approx(wanted, abs=1)
    # by keys alone
    slider.focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", told["days"][-3])
    wanted = _wanted(page, moving["places"][last - 2])
    assert _ring(page, moving["name"]) == pytest.approx(wanted, abs=1)
    # the map moves under them
    page.locator(".modebar-btn[data-title='Zoom in']").click()
    page.wait_for_timeout(600)  # Plotly zooms smoothly
    wanted = _wanted(page, moving["places"][last - 2])
    assert _ring(page, moving["name"]) == pytest.approx(wanted, abs=1)
    button = page.locator("#map-play")
    button.press("Enter")
    expect(button).to_have_text("Pause")
    expect(slider).to_have_value(str(last), timeout=TOOK_MS)
    expect(button).to_have_text("Play the dates")
    page.locator("#map-movement summary").press("Enter")
    rows = page.locator("#map-movement tbody tr")
    expect(rows).to_have_count(len(told["moving"]))
    assert "secret" not in page.content()
    page.get_by_role("link", name="Single listeners").click()
    said = page.locator("#map-moving")
    expect(said).to_contain_text("Each ring is one listener", timeout=TOOK_MS)
    expect(page.locator("#map-rings g")).to_have_count(70)


def test_the_address_chooses_without_a_mouse(page: Page, site: Site) -> None:
    write_map(site.database, site.home, 40)
    _open(page, site)
    page.get_by_label("Style").select_option(DUB)
    page.get_by_role("button", name="Apply").press("Enter")
    words = page.locator("#map-chosen .facts")
    expect(words).to_have_text("10 tracks are chosen.", timeout=TOOK_MS)
    page.get_by_label("Rectangle").fill("-10000, 10000, -10000, 10000")
    page.keyboard.press("Enter")
    page.wait_for_url("**box=**")
    expect(words).to_have_text("10 tracks are chosen.")
    page.get_by_role("link", name="Cluster").click()
    expect(page.locator("#map-legend caption")).to_have_text("Tracks by cluster")
    shared = page.url
    assert f"style={DUB}" in shared
    page.locator("#map-legend .way").first.press("Enter")
    page.wait_for_url("**cluster=1**")
    page.go_back()
    page.goto(shared)
    expect(words).to_have_text("10 tracks are chosen.", timeout=TOOK_MS)
    page.get_by_label("Rectangle").fill("1, 2")
    page.keyboard.press("Enter")
    note = page.locator("#analysis-note")
    expect(note).to_contain_text("The rectangle is “1, 2”; want four whole numbers")
    expect(page.locator("#map-legend")).to_be_hidden()


def test_a_layer_is_offered_where_it_is(page: Page, site: Site) -> None:
    index = write_map(site.database, site.home, 40)
    _open(page, site)
    expect(page.get_by_role("navigation", name="Layer")).to_have_count(0)
    places = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)
    write_umap(site.home / "index", index.version, places)
    _open(page, site)
    page.get_by_role("link", name="UMAP").click()
    expect(page.locator("#map-facts")).to_contain_text("How far groups lie apart")
    _drawn(page, 40)


def test_fifty_thousand_points_stay_usable(page: Page, site: Site) -> None:
    n = 50_000
    write_map(site.database, site.home, n)
    site.ask(f"{API}/figure")  # the first one finds the places
    page.set_viewport_size({"width": 1440, "height": 1000})
    began_at = perf_counter()
    _open(page, site)
    _drawn(page, n)
    _say(f"drawn after {perf_counter() - began_at:.2f} s")
    page.evaluate("document.querySelector('.map').scrollIntoView({block: 'center'})")
    box = page.locator("#map-figure .nsewdrag").first.bounding_box()
    assert box is not None
    began_at = perf_counter()
    pointed = page.locator("#map-pointed")
    x, y = _somewhere(page)
    page.mouse.move(box["x"] + x, box["y"] + y)
    expect(pointed).to_contain_text("Piece ", timeout=TOOK_MS)
    _say(f"a point is named after {perf_counter() - began_at:.2f} s")
    page.locator(".modebar-btn[data-title='Pan']").click()
    paints = page.evaluate(
        """() => {
          const began = performance.now();
          for (let at = 0; at < 5; at++) segue.mapPoints.paint();
          return (performance.now() - began) / 5;
        }"""
    )
    _say(f"painted in {paints:.0f} ms")
    before = page.locator("#map-points canvas").evaluate("each => each.toDataURL()")
    began_at = perf_counter()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 260, steps=6)
    page.mouse.up()
    page.wait_for_function(
        "before => document.querySelector('#map-points canvas').toDataURL() !== before",
        arg=before,
    )
    _say(f"moved after {perf_counter() - began_at:.2f} s")
    page.locator(".modebar-btn[data-title='Box Select']").click()
    began_at = perf_counter()
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 40, box["y"] + 380, steps=6)
    page.mouse.up()
    words = page.locator("#map-chosen .facts")
    expect(words).to_contain_text("listed are the 500 nearest", timeout=TOOK_MS)
    _say(f"{words.inner_text()} after {perf_counter() - began_at:.2f} s")


def _say(words: str) -> None:
    """Tell a time, which depends on the machine: `--log-cli-level=INFO` shows it."""
    _LOG.info(words)


def _somewhere(page: Page) -> tuple[float, float]:
    """Return where some point lies within the map."""
    x, y = page.evaluate(
        """() => {
          const { xaxis, yaxis } =
            document.querySelector("#map-figure .js-plotly-plot")._fullLayout;
          return segue.mapPoints.at(7).map((each, axis) =>
            axis ? yaxis.l2p(each) : xaxis.l2p(each));
        }"""
    )
    return float(x), float(y)


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_has_nothing_to_say(page: Page, site: Site, width: int) -> None:
    index = write_map(site.database, site.home, 80)
    write_days(site.database, index, datetime.now(UTC), (40, 30), 8)
    page.set_viewport_size({"width": width, "height": 900})
    _open(page, site, f"?style={DUB}&colour=plays")
    _drawn(page, 80)
    expect(page.locator("#map-date")).to_be_visible(timeout=TOOK_MS)
    page.locator("#map-movement summary").click()
    found: dict[str, Any] = Axe().run(page, options=RULES).response
    wrong = [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert wrong == []
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


@pytest.mark.parametrize("width", [1440, 390])
def test_without_an_index_there_is_a_sentence(
    page: Page, site: Site, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site.url}/analytics/map")
    note = page.locator("#analysis-note")
    expect(note).to_contain_text("No music was analysed yet", timeout=TOOK_MS)
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    # as soon as there is one, the page has it
    write_map(site.database, site.home, 30)
    expect(note).to_have_text("", timeout=TOOK_MS)
    expect(page.locator("#map-legend tbody tr")).to_have_count(len(STYLES))
