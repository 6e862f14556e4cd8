"""The playback event as JSON Schema, made from the rules of `segue.events`.

`python -m segue.event_schema` prints what `docs/playback-event.schema.json` holds. What
a schema cannot say stays with `parse_event`: the size of a message, and times that do
not exist or lie ahead of Kafka's clock.
"""

import json
import sys
from typing import Any, Final

from segue.events import MAX_EVENT_ID_CHARS, SCHEMA, Action, Scope
from segue.fields import EARLIEST_YEAR, MAX_ID_CHARS, MAX_INT, TIME_PATTERN

_TIME: Final = {
    "type": "string",
    "pattern": TIME_PATTERN,
    "description": f"RFC 3339, year {EARLIEST_YEAR} or later; kept to the millisecond",
}


def json_schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Segue playback event",
        "type": "object",
        "required": ["schema", "event_id", *_IDS, "action", "event_time"],
        "properties": {
            "schema": {"const": SCHEMA},
            "event_id": _id("made by the client; counts once", MAX_EVENT_ID_CHARS),
            **{name: _id(text) for name, text in _IDS.items()},
            "action": {"enum": [str(action) for action in Action]},
            **{name: _number(text) for name, text in _NUMBERS.items()},
            "event_time": _TIME,
            "source": {
                "type": ["object", "null"],
                "description": "surface, list_id, rank, propensity, organic: origin",
            },
            "scope": {
                "type": ["string", "null"],
                "description": "of blocked and forgotten: track, artist, album, …",
            },
            "until": {**_TIME, "type": ["string", "null"]},
        },
        "if": {
            "properties": {"action": {"const": Action.FORGOTTEN.value}},
        },
        "then": {
            "properties": {"scope": {"enum": [None, *map(str, Scope)]}},
            "if": {
                "required": ["scope"],
                "properties": {"scope": {"const": Scope.WINDOW.value}},
            },
            "then": {
                "required": ["until"],
                "properties": {"until": {"type": "string"}},
            },
        },
        # fields of later versions are kept
        "additionalProperties": True,
    }


_IDS: Final = {
    "user_id": "who listens",
    "track_id": "what is played; `name:…` for a track outside the catalogue",
    "session_id": "ties the plays of one sitting together",
    "play_id": "ties the events of one play together",
}
_NUMBERS: Final = {
    "played_ms": "heard in this play",
    "duration_ms": "length of the track",
    "position_ms": "where the playhead was",
}


def _id(text: str, max_chars: int = MAX_ID_CHARS) -> dict[str, Any]:
    limits = {"minLength": 1, "maxLength": max_chars}
    return {"type": "string", **limits, "description": text}


def _number(text: str) -> dict[str, Any]:
    limits = {"minimum": 0, "maximum": MAX_INT}
    return {"type": ["integer", "null"], **limits, "description": text}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
