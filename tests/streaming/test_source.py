"""Messages into verdicts."""

import pytest

from segue.events import Action
from segue.settings import StreamSettings
from streaming.source import Outcome, Verdict, _with_track, judge
from tests.factories import START, create_event, seconds

RULES = StreamSettings(watermark_s=600, future_tolerance_s=300)


@pytest.mark.parametrize(
    ("lag_s", "outcome", "reason"),
    [
        (0, Outcome.VALID, None),
        (600, Outcome.VALID, None),
        (600.001, Outcome.LATE, None),
        (-300, Outcome.VALID, None),
        (-300.001, Outcome.REJECTED, "future_time"),
        (-365 * 86_400, Outcome.REJECTED, "future_time"),
    ],
)
def test_late_and_future_are_measured_against_the_time_of_ingest(
    lag_s: float, outcome: Outcome, reason: str | None
) -> None:
    raw = create_event(at=START).to_json()
    verdict = judge(raw, START + seconds(lag_s), RULES)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


@pytest.mark.parametrize("raw", [None, b"", b"\x00", b"[]"])
def test_what_is_no_event_is_rejected_with_its_reason(raw: bytes | None) -> None:
    verdict = judge(raw, START, RULES)
    assert verdict.outcome is Outcome.REJECTED
    assert verdict.reason in {"not_json", "not_object"}
    assert verdict.event is None


def test_an_event_about_a_track_without_features_says_so_and_stays_valid() -> None:
    event = create_event(track_id="t1")
    verdict = Verdict(Outcome.VALID, None, event)
    assert _with_track(verdict, {"t1"}) == verdict
    unknown = _with_track(verdict, set())
    assert (unknown.outcome, unknown.reason) == (Outcome.VALID, "unknown_track")
    for exempt in (
        event._replace(action=Action.FORGOTTEN),
        event._replace(track_id="name:0123"),
    ):
        assert _with_track(verdict._replace(event=exempt), set()).reason is None
    late = verdict._replace(outcome=Outcome.LATE)
    assert _with_track(late, set()) == late
