"""What a report on the audio space says: its bounds, and drift by hand."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from segue.audio_reports import MOST_SHIFT, AudioReport, Block, drift_between
from tests.segue.audio_space import report_document

START = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)


def _with(*blocks: Block) -> AudioReport:
    told = report_document("v", START) | {
        "blocks": [each.model_dump() for each in blocks]
    }
    return AudioReport.model_validate(told)


def _block(name: str, means: list[float], deviations: list[float]) -> Block:
    return Block(
        name=name,
        n_nonfinite=0,
        means=means,
        deviations=deviations,
        zero_shares=[0.0] * len(means),
        flat=[],
    )


def test_drift_is_the_difference_of_means_in_pooled_deviations() -> None:
    before = _with(_block("a", [1.0, 2.0], [3.0, 1.0]), _block("b", [0.0], [1.0]))
    after = _with(_block("b", [0.1], [1.0]), _block("a", [2.0, 2.0], [4.0, 2.0]))
    a, b = drift_between(before, after)
    shift = 1 / math.sqrt((3**2 + 4**2) / 2)
    assert (a.name, a.dim, b.name, b.dim) == ("a", 0, "b", 0)
    assert a.most == pytest.approx(shift)
    assert a.mean == pytest.approx(shift / 2)
    assert (b.mean, b.most) == pytest.approx((0.1, 0.1))


def test_a_dead_dimension_that_moves_has_moved_far_and_one_that_stays_has_not() -> None:
    before = _with(_block("a", [1.0, 5.0, 0.0], [0.0, 0.0, 0.0]))
    after = _with(_block("a", [1.0 + 1e-9, 5.5, 0.0], [0.0, 0.0, 0.0]))
    (moved,) = drift_between(before, after)
    assert (moved.most, moved.dim) == (MOST_SHIFT, 1)
    assert moved.mean == pytest.approx(MOST_SHIFT / 3)


def test_only_what_both_reports_have_is_compared() -> None:
    before = _with(_block("a", [1.0], [1.0]), _block("gone", [1.0], [1.0]))
    after = _with(_block("a", [1.0, 2.0], [1.0, 1.0]), _block("new", [1.0], [1.0]))
    assert drift_between(before, after) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"hubs": None},
        {"made_at": datetime(2026, 5, 3)},
        {"n_tracks": math.nan},
        {"blocks": [{"name": "a", "means": [1.0], "deviations": []}]},
    ],
)
def test_a_damaged_document_is_no_report(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AudioReport.model_validate(report_document("v", START) | wrong)


def test_columns_of_a_block_are_of_one_length() -> None:
    with pytest.raises(ValidationError, match="different length"):
        _block("a", [1.0, 2.0], [1.0])


def test_a_document_is_read_as_it_was_written() -> None:
    report = AudioReport.model_validate(report_document("v", START))
    written = report.model_dump(by_alias=True)
    assert written["_id"] == "v"
    assert AudioReport.model_validate(written) == report
