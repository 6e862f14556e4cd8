import json
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from features.catalogue_map import lay_out
from features.report import Report, create_report
from features.report_figures import FOLDER_COLOURS
from features.report_page import MAX_ROWS, render_report, write_report
from features.report_rows import number_folders, read_report_rows
from features.retrieval import RANKED, RAW, TASTE
from features.spec import FeatureSpec
from features.verdicts import Status
from segue.errors import IndexMissingError, LibraryError
from segue.settings import Settings
from segue.track_index import read_track_index
from tests.features.catalogues import (
    SIZES,
    album_rows,
    failure_row,
    track_row,
    write_catalogue,
    write_table,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)><b>bold</b>"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def status_of(report: Report, topic: str) -> Status:
    return next(each.status for each in report.verdicts if each.topic == topic)


class _Page(HTMLParser):
    """Collects the elements of a page and what they name outside of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [v or "" for k, v in attrs if k in {"src", "href"}]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]


# --- precision and hubs -----------------------------------------------------------


def test_precision_and_hubs_are_those_of_a_search_by_hand(home: Settings) -> None:
    write_catalogue(home, [*album_rows(6, 5), track_row("/music/alone/1 x.ogg", 99, 9)])
    report = create_report(home)
    assert report.retrieval is not None
    rows = read_report_rows(home, FeatureSpec())
    index = read_track_index(home.home / "index")
    raw = rows.blocks["mfcc"].astype(np.float64)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    points, scales = index.vectors.astype(np.float64), index.scales.astype(np.float64)
    scores = {
        RAW: raw @ raw.T,
        TASTE: points @ points.T,
        RANKED: 1 - (1 - points @ points.T) / scales,
    }
    folders = rows.folders
    asked = [row for row in range(31) if (folders == folders[row]).sum() > 1]
    assert report.retrieval.n_queries == len(asked) == 30
    for way, hubness in zip(report.retrieval.ways, report.hubs.ways, strict=True):
        score = scores[way.way].copy()
        np.fill_diagonal(score, -np.inf)
        order = np.argsort(-score, axis=1)
        hits = folders[order] == folders[:, None]
        assert way.at_1.mean == pytest.approx(hits[asked, 0].mean())
        assert way.at_5.mean == pytest.approx(hits[asked, :5].mean())
        assert way.at_1.low <= way.at_1.mean <= way.at_1.high
        counts = np.bincount(order[:, :10].ravel(), minlength=31)
        assert hubness.orphan_share == pytest.approx((counts == 0).mean())
        assert [hub.n_lists for hub in hubness.hubs] == sorted(counts)[:-6:-1]
        assert hubness.curve[0] == (1, counts.max())


def test_chance_and_the_best_there_can_be(home: Settings) -> None:
    write_catalogue(home, [*album_rows(2, 3)])
    retrieval = create_report(home).retrieval
    assert retrieval is not None
    assert retrieval.chance_at_1 == pytest.approx(2 / 5)
    assert retrieval.best_at_5 == pytest.approx(2 / 5)


def test_copies_of_a_recording_are_no_hits(home: Settings) -> None:
    rows = [track_row(f"/music/{n}/01 Song {n}.ogg", n, n) for n in range(8)]
    for n in range(8):
        copy = {**rows[n], "track_id": f"{n + 50:016x}", "content_sha256": f"c{n}"}
        rows.append({**copy, "path": f"/music/{n}/Song {n} (2011 Remaster).mp3"})
    write_catalogue(home, rows)
    report = create_report(home)
    # a folder has nothing but two copies of one recording
    assert report.retrieval is None
    assert len(report.copies) == 8
    assert [title for title, _ in report.copies[0].tracks] == [
        "Song 0",
        "Song 0 (2011 Remaster)",
    ]
    assert status_of(report, "Copies") is Status.ATTENTION


def test_albums_that_sound_alike_are_found_again(home: Settings) -> None:
    rows, rng = album_rows(12, 6), np.random.default_rng(4)
    for row in rows:
        row["mfcc"] = rng.normal(size=100).tolist()
    write_catalogue(home, rows)
    report = create_report(home)
    assert report.retrieval is not None
    at_5 = {way.way: way.at_5.mean for way in report.retrieval.ways}
    assert at_5[RANKED] > 0.9
    gain = report.retrieval.gain_at_5
    assert gain.mean == pytest.approx(at_5[RANKED] - at_5[RAW])
    assert 0.5 < gain.low <= gain.mean <= gain.high
    assert status_of(report, "Neighbours") is Status.GOOD
    assert status_of(report, "Hubs") is Status.GOOD


# --- what is wrong with a table ---------------------------------------------------


def test_flat_dimensions_silent_tracks_and_broken_numbers_are_found(
    home: Settings,
) -> None:
    rows = album_rows(3, 4)
    for row in rows:
        row["chroma"][4] = 0.25
        row["loudness"] = [-20.0, 5.0]
    rows[5]["loudness"] = [-100.0, 0.0]
    rows[6]["loudness"] = [-75.0, 30.0]
    write_catalogue(home, rows)
    late = track_row("/music/new/1.ogg", 77)
    late["mfcc"][:3] = [float("nan"), float("inf"), 0.0]
    write_table(home, [*rows, late])
    # the broken one is in the table, and not in the index yet
    report = create_report(home)
    assert report.n_outside == 1
    flat = {block.name: block.n_flat for block in report.blocks if block.n_flat}
    assert flat == {"chroma": 1}
    assert report.silent == (("song 1-1", "album 1"),)
    assert status_of(report, "Dimensions") is Status.ATTENTION
    assert status_of(report, "Silence") is Status.ATTENTION


def test_a_value_that_is_no_number_is_counted_and_spoils_nothing_else(
    home: Settings,
) -> None:
    rows = album_rows(4, 5)
    rows[3]["mfcc"][:2] = [float("nan"), float("inf")]
    rows[4]["mfcc"] = [float("inf")] * 100
    write_catalogue(home, rows)
    report = create_report(home)
    mfcc = report.blocks[0]
    assert (mfcc.name, mfcc.n_nonfinite, mfcc.n_flat) == ("mfcc", 102, 0)
    assert "NaN" not in report.to_json()
    assert "nan" not in render_report(report).split("</script>", 1)[1].lower()


def test_failures_are_those_of_the_last_try_of_what_gave_no_track(
    home: Settings,
) -> None:
    rows = album_rows(2, 2)
    timeout = {"stage": "worker", "error_class": "RunFailedError", "retry": True}
    failures = [
        failure_row("/music/a.mp3", "aa", **timeout),
        failure_row("/music/b.mp3", "bb", **timeout),
        failure_row("/music/c.mp3", None),
        failure_row("/music/was.mp3", rows[0]["content_sha256"]),
    ]
    again = failure_row("/music/a.mp3", "aa")
    again["failed_at"] += timedelta(hours=1)
    write_catalogue(home, rows, [*failures, again])
    decode, worker = create_report(home).failures
    assert (decode.stage, decode.n_files, decode.n_retry) == ("decode", 2, 0)
    assert (worker.stage, worker.n_files, worker.n_retry) == ("worker", 1, 1)
    assert (worker.example_title, worker.error_class) == ("b", "RunFailedError")


def test_a_run_that_analyses_otherwise_is_seen(home: Settings) -> None:
    rows = album_rows(20, 6)
    late = sorted(rows, key=lambda row: row["track_id"])[-40:]
    for row in late:
        row["extracted_at"] += timedelta(days=1)
    write_catalogue(home, rows)
    same = create_report(home)
    assert same.drift is not None
    assert (same.drift.n_newest, same.drift.n_rest) == (40, 80)
    assert status_of(same, "Drift") is Status.GOOD

    for row in late:
        row["loudness"] = [value + 6 for value in row["loudness"]]
    write_table(home, rows)
    louder = create_report(home)
    assert louder.drift is not None
    assert louder.drift.shifts[0][0] == "loudness"
    assert status_of(louder, "Drift") is Status.ATTENTION


def test_rates_channels_and_lengths_are_counted(home: Settings) -> None:
    rows = album_rows(1, 4)
    for row, length_s in zip(rows, (10.0, 30.0, 59.9, 7200.0), strict=True):
        row["duration_s"] = length_s
    rows[0] |= {"sample_rate_hz": 22_050, "n_channels": 1}
    write_catalogue(home, rows)
    audio = create_report(home).audio
    assert audio.sample_rates == ((44_100, 3), (22_050, 1))
    assert audio.channels == ((2, 3), (1, 1))
    assert {edge: n for edge, n in audio.durations if n} == {0: 1, 30: 2, 3600: 1}
    assert audio.total_h == pytest.approx((10 + 30 + 59.9 + 7200) / 3600)


# --- edges ------------------------------------------------------------------------


def test_an_empty_table_says_what_to_do(home: Settings, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="segue features build DIR"):
        write_report(home, tmp_path / "report.html", print)
    assert not (tmp_path / "report.html").exists()


def test_a_table_without_an_index_says_what_to_do(home: Settings) -> None:
    write_table(home, album_rows(1, 2))
    with pytest.raises(IndexMissingError, match="segue features build DIR"):
        create_report(home)


def test_an_index_of_other_tracks_says_what_to_do(tmp_path: Path) -> None:
    one, other = Settings(home=tmp_path / "1"), Settings(home=tmp_path / "2")
    write_catalogue(one, [track_row("/a/1.ogg", 1)])
    write_table(other, [track_row("/a/2.ogg", 2)])
    (other.home / "index").symlink_to(one.home / "index")
    with pytest.raises(LibraryError, match=r"none of the 1 tracks .* build DIR"):
        create_report(other)


@pytest.mark.parametrize("n_tracks", [1, 2, 4, 6])
def test_few_tracks_have_a_report(
    home: Settings, tmp_path: Path, n_tracks: int
) -> None:
    write_catalogue(home, album_rows(1, n_tracks))
    lines: list[str] = []
    report = write_report(home, tmp_path / "out" / "report.html", lines.append)
    assert report.n_tracks == n_tracks
    assert report.catalogue_map.places.shape == (n_tracks, 2)
    assert np.isfinite(report.catalogue_map.places).all()
    assert status_of(report, "Neighbours") is Status.UNKNOWN
    assert status_of(report, "Drift") is Status.UNKNOWN
    assert lines
    assert (tmp_path / "out" / "report.html").stat().st_size > 1_000_000


def test_tracks_that_are_all_alike_have_a_map(rng: np.random.Generator) -> None:
    method, places = lay_out(np.tile(rng.normal(size=3), (40, 1)).astype(np.float32))
    assert method == "PCA"
    assert np.ptp(places) < 1e-3


def test_the_map_keeps_neighbours_together(rng: np.random.Generator) -> None:
    centres = rng.normal(size=(3, 10))
    labels = np.repeat(np.arange(3), 30)
    points = centres[labels] + 0.1 * rng.normal(size=(90, 10))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    method, places = lay_out(points.astype(np.float32))
    away = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(away, np.inf)
    assert method == "t-SNE"
    assert (labels[away.argmin(axis=1)] == labels).all()


def test_a_path_that_cannot_be_written_is_a_clear_error(
    home: Settings, tmp_path: Path
) -> None:
    write_catalogue(home, album_rows(1, 2))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LibraryError, match="name another file"):
        write_report(home, tmp_path / "file" / "report.html", print)


def test_folders_are_named_below_what_they_have_in_common() -> None:
    names, numbers = number_folders(["/m/x/1.ogg", "/m/y/z/1.ogg", "/m/x/2.ogg"])
    assert (names, numbers.tolist()) == (["x", "y/z"], [0, 1, 0])
    assert number_folders(["/m/x/1.ogg"])[0] == ["x"]
    assert number_folders(["/1.ogg", "a/2.ogg", "3.ogg"])[0] == ["", "/", "a"]


# --- the page ---------------------------------------------------------------------


def test_the_same_table_gives_the_same_page(home: Settings) -> None:
    write_catalogue(home, album_rows(3, 4))
    first, again = create_report(home), create_report(home)
    assert first.to_json() == again.to_json()
    assert render_report(first) == render_report(again)
    numbers = json.loads(first.to_json())
    assert numbers["n_tracks"] == 12
    assert numbers["newest_at"] == "2026-05-03T00:00:11+00:00"
    assert numbers["verdicts"][0].keys() == {"topic", "status", "sentence"}
    assert "catalogue_map" not in numbers


def test_names_from_strangers_stay_text(home: Settings) -> None:
    rows = album_rows(2, 3)
    for n in range(2):
        path = f"/music/{HOSTILE}/{n} - {HOSTILE.replace('/', '')}.mp3"
        row = {**track_row(path, 90), "track_id": f"{n + 90:016x}"}
        rows.append({**row, "content_sha256": f"hostile {n}"})
    for row in rows:
        row["loudness"] = [-100.0, 0.0]
    failures = [failure_row(f"/music/{HOSTILE}", "aa", message=HOSTILE, stage=HOSTILE)]
    write_catalogue(home, rows, failures)
    report = create_report(home)
    page = render_report(report)
    assert report.copies
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img" not in page.split("</script>", 1)[1]
    parsed = _Page(page)
    assert "img" not in parsed.tags
    assert parsed.handlers == []
    assert all(link.startswith("#") for link in parsed.links)


def test_the_page_needs_nothing_else_and_reads_without_scripts(home: Settings) -> None:
    write_catalogue(home, album_rows(12, 6))
    page = render_report(create_report(home))
    head, body = page.split("</head>")
    assert "default-src 'none'" in head
    assert page.count("plotly.js v") >= 1
    assert "cdn.plot.ly/plotly" not in body
    for name in ("retrieval", "hubs", "durations", "map"):
        assert f'id="figure-{name}"' in body
    without = body.split('id="neighbours"')[1]
    for said in (RAW, TASTE, RANKED, "orphans", "Sample rate", "44,100 Hz"):
        assert said in without


def test_a_long_table_is_cut_and_says_so(home: Settings) -> None:
    rows = album_rows(1, MAX_ROWS + 7)
    for row in rows:
        row["loudness"] = [-100.0, 0.0]
    write_catalogue(home, rows)
    page = render_report(create_report(home))
    section = page.split('id="silence"')[1].split("</section>")[0]
    assert section.count("<td>") == MAX_ROWS
    assert "and 7 more" in section


def test_folders_have_colours_of_their_own() -> None:
    assert len(set(FOLDER_COLOURS)) == len(FOLDER_COLOURS) == 12


def test_every_block_of_the_table_is_looked_at(home: Settings) -> None:
    write_catalogue(home, album_rows(1, 3))
    blocks = create_report(home).blocks
    assert {block.name: block.n_dims for block in blocks} == SIZES


@pytest.mark.browser
def test_the_figures_are_drawn_and_nothing_is_run_or_fetched(
    home: Settings, tmp_path: Path, browser: "Browser"
) -> None:
    path = f"/music/{HOSTILE}/1 - {HOSTILE.replace('/', '')}.ogg"
    rows = [*album_rows(12, 6), track_row(path, 99)]
    write_catalogue(home, rows)
    write_report(home, tmp_path / "report.html", print)
    page, complaints = browser.new_page(), list[str]()
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("#figure-map .scatterlayer .point").count() == len(rows)
    assert page.locator(".plotly-graph-div .main-svg").count() >= 4
    # the only track outside the largest folders is drawn first
    page.locator("#figure-map .point").first.hover(force=True)
    label = page.locator("#figure-map .hovertext")
    label.wait_for()
    assert f"{HOSTILE.replace('/', '')}{HOSTILE}" in (label.text_content() or "")
    assert complaints == []
    page.close()
