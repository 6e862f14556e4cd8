"""Spans that are due: one that cannot be written is in no other's way."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from pymongo.database import Database
from pymongo.errors import AutoReconnect, WriteError

from segue import store
from segue.activity import Level
from segue.clock import fixed_clock
from streaming.activity_due import Due, note_due, settle
from streaming.rolling import Rolling, rolling_activity, rolling_served
from tests.conftest import SettingsFactory

pytestmark = pytest.mark.mongo
NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
BAD, GOOD = NOW - 2 * HOUR, NOW - HOUR


def _rolled(
    database: Database[store.Document], error: Exception, for_s: float
) -> list[datetime]:
    """Let one span fail for good; return which others were written meanwhile."""
    written = []

    def write(due: Due) -> None:
        if due.start == BAD:
            raise error
        written.append(due.start)
        settle(database, [due])

    for at in (BAD, GOOD):
        note_due(database, Level.HOUR, [at], at)
    rolling = Rolling(database, store.ACTIVITY_DUE, write, fixed_clock(NOW))
    deadline = time.monotonic() + for_s
    while not written and time.monotonic() < deadline:
        rolling.look()
    return written


@pytest.mark.parametrize(
    "error",
    [
        WriteError("too large"),
        RuntimeError("damaged"),
        AttributeError("damaged"),
        KeyError("codes"),
    ],
)
def test_a_span_that_cannot_be_written_lets_others_pass(
    database: Database[store.Document], error: Exception
) -> None:
    assert _rolled(database, error, for_s=20) == [GOOD]
    (left,) = database[store.ACTIVITY_DUE].find()
    assert (left["start"], left["due_at"] > NOW) == (BAD, True)


@pytest.mark.parametrize(
    "damage", [{"level": "week"}, {"start": "soon"}, {"note": None}, {"level": None}]
)
def test_a_note_that_is_damaged_lets_others_pass(
    database: Database[store.Document], damage: store.Document
) -> None:
    note_due(database, Level.HOUR, [BAD - HOUR], BAD - HOUR)
    database[store.ACTIVITY_DUE].update_one({}, {"$set": damage})
    assert _rolled(database, RuntimeError("damaged"), for_s=20) == [GOOD]


def test_while_mongodb_is_away_nothing_is_postponed(
    database: Database[store.Document], caplog: pytest.LogCaptureFixture
) -> None:
    assert _rolled(database, AutoReconnect("away"), for_s=0.2) == []
    assert "wait: away" in caplog.text
    first = database[store.ACTIVITY_DUE].find_one({"start": BAD})
    assert first is not None
    assert first["due_at"] == BAD


def test_what_rolls_has_a_name_of_its_own(
    settings: SettingsFactory, database: Database[store.Document]
) -> None:
    activity = rolling_activity(database, settings())
    served = rolling_served(database, settings())
    assert (activity.name, served.name) == ("rolling activity", "rolling served")
