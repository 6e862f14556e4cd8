import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from segue.errors import KafkaUnreachableError
from segue.services.topics import ensure_topics
from segue.settings import KafkaSettings, Settings
from tests.conftest import SettingsFactory


@pytest.mark.kafka
def test_topics_are_created_once(settings: SettingsFactory) -> None:
    made = settings(kafka={"partitions": 3})
    lines: list[str] = []
    ensure_topics(made, lines.append)
    assert all("created with 3 partitions" in line for line in lines)
    assert len(lines) == 3
    lines.clear()
    ensure_topics(made, lines.append)
    assert [line.partition(": ")[2] for line in lines] == ["there, as it should be"] * 3


@pytest.mark.kafka
def test_a_topic_with_other_settings_is_reported_and_left(
    settings: SettingsFactory,
) -> None:
    ensure_topics(settings(kafka={"partitions": 1, "retention_h": 2}), print)
    lines: list[str] = []
    ensure_topics(settings(kafka={"partitions": 2, "retention_h": 3}), lines.append)
    assert len(lines) == 3
    for line in lines:
        assert "partitions is 1, not 2" in line
        assert "retention.ms is 7200000, not 10800000" in line


@pytest.mark.kafka
def test_an_event_carries_the_brokers_time(settings: SettingsFactory) -> None:
    made = settings(topics=True).kafka
    with KafkaProducer(bootstrap_servers=made.bootstrap) as producer:
        producer.send(made.events_topic, b"{}", timestamp_ms=1)
        producer.flush()
    with KafkaConsumer(
        made.events_topic,
        bootstrap_servers=made.bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
    ) as consumer:
        message = next(consumer)
    assert message.timestamp > 1_600_000_000_000


@pytest.mark.kafka
def test_a_message_of_two_megabytes_is_refused_by_the_broker(
    settings: SettingsFactory,
) -> None:
    made = settings(topics=True).kafka
    with (
        KafkaProducer(
            bootstrap_servers=made.bootstrap, max_request_size=8 << 20
        ) as producer,
        pytest.raises(MessageSizeTooLargeError),
    ):
        producer.send(made.events_topic, b"x" * (2 << 20)).get(timeout=30)


def test_without_a_broker_the_message_says_what_to_do() -> None:
    made = Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1", timeout_ms=300))
    with pytest.raises(KafkaUnreachableError, match=r"127\.0\.0\.1:1.*segue up"):
        ensure_topics(made, print)
