"""A micro-batch takes as many messages as fit, by the size of those that wait."""

import pytest

from segue.settings import Settings
from streaming.batch_size import messages_per_batch
from streaming.producer import Producer
from tests.conftest import SettingsFactory

pytestmark = pytest.mark.kafka


def limit(settings: Settings, share: float = 1.0) -> int:
    return messages_per_batch(settings, [settings.kafka.events_topic], share)


def send(settings: Settings, n_messages: int, n_bytes: int) -> None:
    with Producer(settings.kafka, settings.home / "spool") as producer:
        for _ in range(n_messages):
            producer.send_raw(b"ada", b"x" * n_bytes)


def test_large_messages_make_small_batches(settings: SettingsFactory) -> None:
    stream = {"batch_mb": 4, "max_offsets_per_trigger": 15_000}
    ready = settings(topics=True, stream=stream)
    assert limit(ready) == 15_000  # nothing waits yet
    send(ready, 200, 100)
    assert limit(ready) == 15_000
    # a few large ones among many small ones are seen
    send(ready, 200, 2_000)
    send(ready, 400, 100)
    assert limit(ready) == (4 << 20) // 2_000
    assert limit(ready, share=0.5) == (2 << 20) // 2_000
    send(ready, 400, 20_000)
    assert limit(ready) == 1_000  # never fewer, but where less is asked for


def test_who_asks_for_little_gets_little(settings: SettingsFactory) -> None:
    ready = settings(topics=True, stream={"max_offsets_per_trigger": 3})
    assert limit(ready) == 3
    assert limit(ready, share=0.25) == 1
