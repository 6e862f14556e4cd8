"""The schema file and the parser say the same."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given

from segue.event_schema import json_schema
from segue.events import PlaybackEvent
from segue.fields import TIME_PATTERN
from tests.segue.test_events import INVALID, VALID, events

FILE = Path(__file__).parents[2] / "docs" / "playback-event.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def says_a_schema(raw: bytes, reason: str) -> bool:
    """Tell whether a schema can know it: not of bytes, nor of the calendar."""
    if reason in {"too_large", "not_json"}:
        return False
    return reason != "bad_time" or not re.match(
        TIME_PATTERN, json.loads(raw)["event_time"]
    )


def test_the_file_is_what_the_code_makes() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == json_schema()


@given(events)
def test_every_event_is_valid(event: PlaybackEvent) -> None:
    VALIDATOR.validate(json.loads(event.to_json()))


@pytest.mark.parametrize(
    ("raw", "reason"), [each for each in INVALID if says_a_schema(*each)]
)
def test_what_the_parser_rejects_is_not_valid(raw: bytes, reason: str) -> None:
    assert not VALIDATOR.is_valid(json.loads(raw)), reason


def test_a_valid_message_is_valid() -> None:
    VALIDATOR.validate(VALID | {"mood": "blue"})
