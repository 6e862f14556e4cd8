"""Events into a real broker, and what is said when there is none."""

import json
import socket

import pytest
from kafka import KafkaConsumer, TopicPartition

from segue.errors import InvalidEventError, KafkaUnreachableError
from segue.events import parse_event
from segue.services.ports import free_port
from segue.settings import KafkaSettings, Settings
from streaming.producer import Producer, publish_lines
from tests.conftest import SettingsFactory
from tests.factories import create_event


def messages_of(settings: Settings) -> list[tuple[int, bytes, bytes]]:
    """Return partition, key and value of all messages, in order of their offsets."""
    topic = settings.kafka.events_topic
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap)
    parts = [TopicPartition(topic, number) for number in range(2)]
    consumer.assign(parts)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(parts)
    found = []
    while any(consumer.position(part) < ends[part] for part in parts):
        for records in consumer.poll(timeout_ms=500).values():
            found += [(each.partition, each.key, each.value) for each in records]
    consumer.close()
    return found


@pytest.mark.kafka
def test_events_of_a_listener_lie_in_one_partition_in_their_order(
    settings: SettingsFactory,
) -> None:
    ready = settings(topics=True)
    events = [create_event(user_id=f"u{number % 3}") for number in range(30)]
    with Producer(ready.kafka) as producer:
        producer.publish(*events)
    found = messages_of(ready)
    assert len(found) == 30
    for user in ("u0", "u1", "u2"):
        mine = [(part, value) for part, key, value in found if key == user.encode()]
        assert len({part for part, _ in mine}) == 1
        sent = [event for event in events if event.user_id == user]
        assert [parse_event(value) for _, value in mine] == sent


@pytest.mark.kafka
def test_lines_that_are_no_event_are_named_and_the_others_sent(
    settings: SettingsFactory,
) -> None:
    ready = settings(topics=True)
    good, said = create_event(), list[str]()
    lines = [good.to_json() + b"\n", b"\n", b"no json\n", b"{}\n"]
    with Producer(ready.kafka) as producer:
        assert publish_lines(producer, lines, said.append) == (1, 2)
    assert [line.split(":")[:2] for line in said] == [
        ["line 3", " not_json"],
        ["line 4", " missing_field"],
    ]
    assert [json.loads(value)["event_id"] for *_, value in messages_of(ready)] == [
        good.event_id
    ]


@pytest.mark.kafka
def test_an_event_that_is_too_large_is_refused_before_any_is_sent(
    settings: SettingsFactory,
) -> None:
    ready = settings(topics=True)
    large = create_event(user_id="x" * (2 << 20))
    with (
        Producer(ready.kafka) as producer,
        pytest.raises(InvalidEventError, match=r"too_large: .*at most 65536"),
    ):
        producer.publish(create_event(), large)
    assert messages_of(ready) == []


def test_no_broker_is_one_clear_error() -> None:
    port = free_port()
    with pytest.raises(KafkaUnreachableError, match=r"segue up.*SEGUE_KAFKA_BOOTSTRAP"):
        Producer(KafkaSettings(bootstrap=f"127.0.0.1:{port}", timeout_ms=500))


def test_something_else_on_the_port_is_one_clear_error() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(KafkaUnreachableError, match=address):
            Producer(KafkaSettings(bootstrap=address, timeout_ms=500))
