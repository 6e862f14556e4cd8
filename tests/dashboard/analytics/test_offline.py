"""What was found offline, as the page of recommendations shows it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.analytics import offline
from segue.builds import make_current
from segue.reports import FOLDER as REPORTS
from segue.reports import keep_report
from segue.trained_model import FOLDER as MODELS
from tests.dashboard.analytics.components import cells, texts

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
FACTS = {
    "trained_at": "2026-05-03T22:10:00.000Z",
    "data": {
        "first_date": "2026-04-01",
        "last_date": "2026-05-03",
        "n_events": 1234,
        "n_listeners": 7,
    },
    "metrics": {"ndcg": {"blend": {"value": 0.25, "low": 0.2, "high": 0.3}}},
}
INTERVAL = {"value": 0.125, "low": 0.1, "high": 0.15}
EVALUATION = {
    "data": {"name": "archive"},
    "methods": {
        "hybrid": {"discovery": {"all": {"n": 31, "ndcg": INTERVAL, "hit_rate": None}}}
    },
}
REPLAY = {
    "replay": {
        "data": {"first_date": "2026-05-01", "last_date": "2026-05-03"},
        "rankers": {"a": {"tasks": {"any": {"all": {"ndcg": INTERVAL}}}}},
    }
}


def _model(home: Path, version: str, text: str) -> None:
    place = home / MODELS / version
    place.mkdir(parents=True)
    (place / "model.json").write_text(text)


def test_what_was_found_offline_is_shown(tmp_path: Path) -> None:
    for number in range(12):
        _model(tmp_path, f"v{number:02d}", json.dumps(FACTS))
    make_current(tmp_path / MODELS, "v11")
    keep_report(tmp_path, "evaluation", EVALUATION, NOW)
    keep_report(tmp_path, "replay", REPLAY, NOW)
    shown = offline.body(offline.read_offline(tmp_path))
    text = " ".join(texts(shown))
    models = cells(shown[0])
    assert len(models) == 10
    assert models[0] == [
        *("v11 (current)", "3 May 2026, 22:10", "1 April 2026 to 3 May 2026"),
        *("1,234", "7", "0.250 (0.200 to 0.300)"),
    ]
    row = ["hybrid", "discovery", "31", "–", "0.125 (0.100 to 0.150)"]  # noqa: RUF001
    assert cells(shown[1])[0][:5] == row
    assert cells(shown[2])[0][:2] == ["ranker a", "any"]
    assert "listeners of archive; made 3 May 2026, 22:10 UTC" in text
    assert "of the plays of 1 May 2026 to 3 May 2026" in text


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"data": 3}', "[" * 100_000, "null", '{"metrics":[]}']
)
def test_what_is_damaged_offline_is_a_sentence(tmp_path: Path, text: str) -> None:
    _model(tmp_path, "good", json.dumps(FACTS))
    _model(tmp_path, "bad", text)
    (tmp_path / REPORTS).mkdir()
    (tmp_path / REPORTS / "evaluation.json").write_text(text)
    keep_report(tmp_path, "replay", {"replay": {"rankers": {"a": {"tasks": 3}}}}, NOW)
    found = offline.read_offline(tmp_path)
    assert [each["version"] for each in found.models] == ["good"]
    assert len(found.damaged) == 2
    assert found.damaged[0].startswith("The model bad cannot be shown")
    assert found.damaged[1].startswith("The report evaluation.json is damaged")
    assert "This report is damaged" in " ".join(texts(offline.body(found)))


def test_without_any_there_is_a_sentence(tmp_path: Path) -> None:
    text = " ".join(texts(offline.body(offline.read_offline(tmp_path))))
    assert "No model was trained yet" in text
    assert "No evaluation was kept yet" in text
