"""Rejected messages: found once, shown safely, sent again when they are valid."""

import base64
import json
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer

from segue.cli import main
from segue.clock import rfc3339, system_clock
from segue.settings import Settings
from segue.track_index import write_track_index
from streaming.rejected import preview, read_rejected
from tests.conftest import SettingsFactory
from tests.factories import START, create_event, create_index, seconds
from tests.streaming.test_producer import read_messages


@given(st.binary(max_size=200))
def test_any_bytes_have_a_preview_that_no_terminal_obeys(raw: bytes) -> None:
    assert preview(raw).isprintable()


def row(
    settings: Settings, offset: int, reason: str, raw: bytes, n_bytes: int | None = None
) -> tuple[bytes, bytes]:
    """Return key and value as the stream writes them."""
    topic = settings.kafka.events_topic
    value = {
        "reason": reason,
        "topic": topic,
        "partition": 0,
        "offset": offset,
        "ingested_at": rfc3339(START + seconds(offset)),
        "n_bytes": len(raw) if n_bytes is None else n_bytes,
        "raw_base64": base64.b64encode(raw).decode(),
    }
    return f"{topic}|0|{offset}".encode(), json.dumps(value).encode()


@pytest.fixture
def ready(settings: SettingsFactory) -> Settings:
    made: Settings = settings(topics=True)
    write_track_index(made.home / "index", create_index())
    return made


def write(settings: Settings, rows: list[tuple[bytes, bytes | None]]) -> None:
    with KafkaProducer(bootstrap_servers=settings.kafka.bootstrap) as producer:
        for key, value in rows:
            producer.send(settings.kafka.rejected_topic, key=key, value=value)
        producer.flush()


def run(settings: Settings, *argv: str, status: int = 0) -> Any:
    done = CliRunner().invoke(main, ["rejected", *argv, "--json"], obj=settings)
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


@pytest.mark.kafka
def test_copies_count_once_and_what_was_taken_out_is_gone(ready: Settings) -> None:
    first, second = (
        row(ready, 1, "not_json", b"\x1b[2J"),
        row(ready, 2, "negative", b"x"),
    )
    write(ready, [first, second, first, (second[0], None)])
    found = run(ready, "list")
    assert found["by_reason"] == {"not_json": 1}
    (message,) = found["messages"]
    assert message["key"] == first[0].decode()
    assert message["preview"] == "\ufffd[2J"
    shown = run(ready, "show", message["key"])
    assert shown["explanation"].startswith("not_json")


@pytest.mark.kafka
def test_what_is_valid_by_now_is_sent_and_leaves_the_topic(ready: Settings) -> None:
    now: datetime = system_clock()
    ahead, old = create_event(at=now), create_event(at=START)
    known, unknown = create_event(track_id="t001"), create_event(track_id="lost")
    write(
        ready,
        [
            row(ready, 1, "future_time", ahead.to_json()),
            row(ready, 2, "newer_schema", old.to_json()),
            row(ready, 3, "not_json", b"no json"),
            row(ready, 4, "unknown_track", known.to_json()),
            row(ready, 5, "unknown_track", unknown.to_json()),
            row(ready, 6, "too_large", b"{", n_bytes=70_000),
        ],
    )
    expected = {"found": 6, "sent": 2, "settled": 1, "still_invalid": 2, "gone": 1}
    assert run(ready, "retry", "--all", "--dry-run") == expected
    assert len(list(read_rejected(ready.kafka))) == 6
    assert run(ready, "retry", "--all") == expected
    left = {message.reason for message in read_rejected(ready.kafka)}
    assert left == {"not_json", "unknown_track", "too_large"}
    sent = read_messages(ready.kafka, ready.kafka.events_topic)
    assert [value for *_, value in sent] == [ahead.to_json()]
    history = read_messages(ready.kafka, ready.kafka.history_topic)
    assert [value for *_, value in history] == [old.to_json()]
    assert run(ready, "retry", "t|0|99", status=1)["found"] == 0
