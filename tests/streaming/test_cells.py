"""Objects that an event may hold: none of them may stop a batch that is read again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidEventError
from segue.events import PlaybackEvent, parse_event
from segue.store import Document
from streaming.cells import cell_of, fields_in
from streaming.listens import listen_document
from streaming.outcomes import list_of
from tests.factories import create_event

NUMBERS = st.integers() | st.floats(allow_nan=False) | st.just(10**400)
OBJECTS = st.dictionaries(
    st.sampled_from(["list_id", "rank", "end", "propensity", "surface", "x"]),
    st.recursive(
        st.none() | st.booleans() | NUMBERS | st.text(),
        lambda within: st.lists(within) | st.dictionaries(st.text(), within),
    ),
)


def _event(source: str) -> PlaybackEvent:
    raw = create_event(track_id="t1").to_json()[:-1] + b',"source":' + source.encode()
    return parse_event(raw + b"}")


def _read(event: PlaybackEvent) -> tuple[str | None, Document]:
    row = {name: getattr(event, name) for name in PlaybackEvent._fields}
    row["source"] = cell_of(event.source)
    return list_of(row), listen_document(row)


@given(OBJECTS)
def test_what_is_an_event_can_be_counted(source: dict[str, Any]) -> None:
    try:
        event = _event(json.dumps(source))
    except InvalidEventError:
        return
    list_id, listen = _read(event)
    assert list_id is None or list_id == source["list_id"]
    assert set(listen["source"]) <= set(source)


@pytest.mark.parametrize(
    "value",
    [
        *("1" + "0" * 308, "1" + "0" * 309, "-" + "9" * 4_000, "1e400", "1e-400"),
        *(
            "[" * 240 + "]" * 240,
            "[" * 800 + "]" * 800,
            '{"a":' * 300 + "1" + "}" * 300,
        ),
    ],
)
def test_numbers_and_depths_that_few_can_read(value: str) -> None:
    event = _event('{"list_id":"ada@1","x":' + value + "}")
    list_id, listen = _read(event)
    assert (list_id, listen["source"]) == ("ada@1", {"list_id": "ada@1"})
    assert fields_in(cell_of(event.source)).keys() == {"list_id", "x"}
