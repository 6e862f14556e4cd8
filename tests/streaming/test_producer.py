"""Events into a real broker, and what is said when there is none."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaConsumer, TopicPartition

from segue.errors import InvalidEventError, SpoolFullError
from segue.events import PlaybackEvent, parse_event
from segue.services import kafka, process
from segue.services.ports import free_port
from segue.services.topics import ensure_topics
from segue.settings import KafkaSettings, Settings
from streaming.producer import Producer, publish_lines
from tests.conftest import SettingsFactory
from tests.factories import create_event


def read_messages(kafka: KafkaSettings, topic: str) -> list[tuple[int, bytes, bytes]]:
    """Return partition, key and value of all messages, in order of their offsets."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap)
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


def messages_of(settings: Settings) -> list[tuple[int, bytes, bytes]]:
    return read_messages(settings.kafka, settings.kafka.events_topic)


@pytest.mark.kafka
def test_events_of_a_listener_lie_in_one_partition_in_their_order(
    settings: SettingsFactory,
) -> None:
    ready = settings(topics=True)
    events = [create_event(user_id=f"u{number % 3}") for number in range(30)]
    with Producer(ready.kafka, ready.home / "spool") as producer:
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
    with Producer(ready.kafka, ready.home / "spool") as producer:
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
        Producer(ready.kafka, ready.home / "spool") as producer,
        pytest.raises(InvalidEventError, match=r"too_large: .*at most 65536"),
    ):
        producer.publish(create_event(), large)
    assert messages_of(ready) == []


@pytest.fixture
def home(tmp_path: Path, jars: Path) -> Iterator[Path]:
    """A home with a broker of its own, which the test may kill."""
    (tmp_path / "jars").symlink_to(jars)
    yield tmp_path
    for name in process.names(tmp_path):
        process.stop(tmp_path, name)


class Broker:
    """A broker on a fixed port that goes away and comes back."""

    def __init__(self, home: Path, java: Path) -> None:
        self._home, self._java, self._port = home, java, free_port()
        self.kafka = KafkaSettings(
            bootstrap=f"127.0.0.1:{self._port}", timeout_ms=2000, spool_mb=1
        )
        self.spool = home / "spool"

    def start(self) -> None:
        kafka.wait(kafka.launch(self._home, self._port, self._java))
        ensure_topics(Settings(home=self._home, kafka=self.kafka), print)

    def kill(self) -> None:
        child = process.find(self._home, kafka.NAME)
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        psutil.Process(child.pid).wait(10)

    def received(self) -> list[str]:
        values = messages_of(Settings(kafka=self.kafka))
        return [json.loads(value)["event_id"] for *_, value in values]

    def wait_for(self, events: list[PlaybackEvent]) -> list[str]:
        wanted = {event.event_id for event in events}
        deadline = time.monotonic() + 60
        while not wanted <= set(found := self.received()):
            assert time.monotonic() < deadline, f"{len(found)} of {len(wanted)}"
            time.sleep(0.2)
        return found


PUBLISH_AND_DIE = """
import os, sys
from pathlib import Path
from segue.events import parse_event
from segue.settings import KafkaSettings
from streaming.producer import Producer
kafka, spool, lines = sys.argv[1:]
producer = Producer(KafkaSettings.model_validate_json(kafka), Path(spool))
producer.publish(*map(parse_event, open(lines, "rb")))
os.kill(os.getpid(), 9)
"""


@pytest.mark.kafka
@pytest.mark.slow
def test_what_kafka_cannot_take_is_sent_in_order_when_it_is_back(
    home: Path, java: Path
) -> None:
    broker = Broker(home, java)
    events = [create_event(user_id="ada") for _ in range(60)]
    broker.start()
    with Producer(broker.kafka, broker.spool) as producer:
        producer.publish(*events[:10])
        broker.kill()
        producer.publish(*events[10:20])
        assert producer.n_spooled_bytes > 0
        start = time.monotonic()
        producer.publish(*events[20:30])
        assert time.monotonic() - start < 1, "what waits is not waited for again"
        broker.start()
        producer.publish(*events[30:40])
        found = broker.wait_for(events[:40])
    assert list(dict.fromkeys(found)) == [event.event_id for event in events[:40]]
    assert len(found) <= 50, "only what was in the air may come twice"

    # a producer that is killed leaves its spool to the next one
    broker.kill()
    left = events[40:]
    lines = b"".join(event.to_json() + b"\n" for event in left)
    (home / "lines").write_bytes(lines)
    argv = [broker.kafka.model_dump_json(), str(broker.spool), str(home / "lines")]
    done = subprocess.run([sys.executable, "-c", PUBLISH_AND_DIE, *argv], check=False)
    assert done.returncode == -signal.SIGKILL
    broker.start()
    with Producer(broker.kafka, broker.spool) as producer:
        found = broker.wait_for(events)
        assert producer.n_spooled_bytes == 0
    assert list(dict.fromkeys(found)) == [event.event_id for event in events]


def test_a_full_spool_is_one_clear_error(tmp_path: Path) -> None:
    away = KafkaSettings(
        bootstrap=f"127.0.0.1:{free_port()}", timeout_ms=500, spool_mb=1
    )
    event = create_event(user_id="x" * 128)
    n_fit = (1 << 20) // len(event.to_json())
    with Producer(away, tmp_path) as producer:
        producer.publish(*[event] * (n_fit // 2))
        with pytest.raises(SpoolFullError, match=r"1 fit.*SEGUE_KAFKA_SPOOL_MB"):
            producer.publish(*[event] * n_fit)
