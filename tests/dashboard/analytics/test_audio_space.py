"""Figures, words and tables of the page Audio space, from made-up reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest
from dash import html

from dashboard.analytics import audio_tables, audio_words
from dashboard.analytics.audio_figures import drift_figure, hub_classes, hub_figure
from dashboard.analytics.audio_reading import Compared
from segue.audio_reports import (
    HUB_CLASSES,
    LARGE_SHIFT,
    SMALL_SHIFT,
    AudioReport,
    BlockDrift,
    drift_between,
)
from segue.store import Document
from tests.segue.audio_space import report_document

NOW = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)


def _report(louder: float = 0.0, **changes: Any) -> AudioReport:
    told: Document = report_document("v", NOW, louder)
    return AudioReport.model_validate(told | changes)


def _said(*parts: Any) -> str:
    return " ".join(str(each.children) for each in parts if isinstance(each, html.P))


def test_bars_are_the_tracks_of_each_class() -> None:
    hubs = _report().hubs
    drawn = go.Figure(hub_figure(hubs))
    for bars, way in zip(drawn.data, hubs.ways, strict=True):
        assert list(bars.y) == way.counts[:5]
        assert list(bars.x) == hub_classes()[:5]
        assert bars.name == way.way
    assert len(hub_classes()) == len(HUB_CLASSES)
    assert len(go.Figure(hub_figure(None)).data) == 0


def test_drift_is_drawn_beside_its_thresholds_and_a_name_is_no_html() -> None:
    moved = [BlockDrift("<b>x</b>", 0.1, 2.0, 0), BlockDrift("y", 0.0, 0.1, 1)]
    drawn = go.Figure(drift_figure(moved))
    most, mean = drawn.data
    assert (list(most.y), list(mean.y)) == ([2.0, 0.1], [0.1, 0.0])
    assert list(most.x) == ["&lt;b&gt;x&lt;/b&gt;", "y"]
    assert [line.y0 for line in drawn.layout.shapes] == [SMALL_SHIFT, LARGE_SHIFT]
    assert drawn.layout.yaxis.range[1] > 2
    assert go.Figure(drift_figure([])).layout.yaxis.range[1] > LARGE_SHIFT


@pytest.mark.parametrize(
    ("louder", "changes", "said"),
    [
        (0.0, {}, "have hardly moved since the report of 3 May 2026, 21:40 UTC"),
        (0.3, {}, "have little moved"),
        (0.6, {}, "Far from the report of 3 May 2026, 21:40 UTC: loudness."),
        (0.0, {"spec": "other"}, "The two are of different features"),
        (0.0, {"blocks": []}, "No block of features is in"),
    ],
)
def test_drift_in_words(louder: float, changes: dict[str, Any], said: str) -> None:
    before, after = _report(), _report(louder, **changes)
    words = audio_words.drift(after, before, drift_between(before, after))
    assert said in _said(*words)


def test_without_an_earlier_report_or_run_that_is_said() -> None:
    words = _said(*audio_words.drift(_report(batch=None), None, []))
    assert "There is no earlier report" in words
    assert "no two runs of the extraction" in words


def test_lists_that_do_not_spread_are_said() -> None:
    assert "Lists spread well." in _said(audio_words.hubs(_report().hubs))
    hubs = report_document("v", NOW)["hubs"]
    hubs["ways"][1]["skew"] = 1.5
    found = _report(hubs=hubs).hubs
    assert "Lists do not spread well." in _said(audio_words.hubs(found))


def test_nothing_wrong_is_a_sentence_too() -> None:
    none = {"n_groups": 0, "n_members": 0, "sizes": [0] * 9, "largest": []}
    failures = {"n_files": 0, "reasons": [], "newest": []}
    report = _report(recordings=none, copies=none, failures=failures)
    assert _said(
        audio_words.recordings(report.recordings),
        audio_words.copies(report.copies),
        audio_words.failures(report.failures),
    ) == (
        "Each recording is there once. Each file is there once. "
        "Every file gave a track."
    )
    tables = (audio_tables.failures, audio_tables.copies)
    for made in tables:
        assert set(map(len, made(Compared(report, None)).values())) == {0}


def test_a_space_that_was_fitted_to_all_says_so() -> None:
    space = report_document("v", NOW)["space"] | {"n_placed": 0}
    assert "fitted to these tracks on 2 May" in audio_words.about(_report(space=space))


def test_of_very_many_dimensions_the_page_says_how_many_were_looked_at() -> None:
    said = _said(audio_words.dimensions(_report(n_dims=9000)))
    assert "Of the first 5 of 9,000 dimensions: 1 dead, 1 that only repeat" in said


def test_a_block_that_cannot_be_compared_has_no_numbers() -> None:
    before = _report(blocks=report_document("v", NOW - timedelta(1))["blocks"][:1])
    table = audio_tables.drift(Compared(_report(), before))
    rows = dict(zip(table["block"], table["most"], strict=True))
    assert rows == {"timbre": 0.0, "loudness": None}
