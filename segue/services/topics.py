"""The Kafka topics: made where they are missing, compared where they are there."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError

from segue.errors import KafkaUnreachableError, ServiceError, StreamError
from segue.services import kafka
from segue.settings import KafkaSettings, Settings

MAX_EVENT_MESSAGE_BYTES: Final = 1 << 20
# a rejected message holds the refused bytes in base64, and why and whence
MAX_REJECTED_MESSAGE_BYTES: Final = 4 << 20
_MS_PER_H: Final = 3_600_000
_TIME_TYPE: Final = "message.timestamp.type"
_BROKER_TIME: Final = "LogAppendTime"


def ensure_topics(settings: Settings, report: Callable[[str], None]) -> None:
    """Create the topics that are missing; report those that are set up otherwise.

    A topic that exists is never changed.

    Parameters
    ----------
    settings : Settings
        With `kafka.bootstrap` filled in; the names of the topics come from it.
    report : callable
        Takes a line for each topic.

    Raises
    ------
    KafkaUnreachableError
        When no broker answers.
    ServiceError
        When a topic cannot be made.
    """
    if settings.kafka.bootstrap is None:
        raise KafkaUnreachableError(
            "no Kafka is set; run `segue up`, or set SEGUE_KAFKA_BOOTSTRAP"
        )
    client = kafka.admin(settings.kafka.bootstrap, settings.kafka.timeout_ms)
    try:
        for topic, wanted in topic_configs(settings.kafka).items():
            n_partitions = settings.kafka.partitions
            if _create(client, topic, n_partitions, wanted):
                report(f"topic {topic}: created with {n_partitions} partitions")
            else:
                report(_compared(client, topic, n_partitions, wanted))
    except KafkaError as error:
        raise ServiceError(
            f"Kafka at {settings.kafka.bootstrap} does not take the topics: {error}"
        ) from error
    finally:
        client.close()


def require_broker_time(settings: Settings) -> None:
    """Check that the topics of events are there, and that Kafka's clock stamps them.

    With the client's clock no event would ever be late or ahead, and one of next year
    would close the panes of this one.

    Raises
    ------
    StreamError
        When a topic is missing, or its time is the client's.
    """
    topics = (settings.kafka.events_topic, settings.kafka.history_topic)
    client = kafka.admin(str(settings.kafka.bootstrap), settings.kafka.timeout_ms)
    try:
        there = client.list_topics()
        for topic in topics:
            if topic not in there:
                raise StreamError(
                    f"Kafka has no topic {topic}; make it with `segue topics`"
                )
            found = _configs(client, topic, {_TIME_TYPE: _BROKER_TIME})
            if found[_TIME_TYPE] != _BROKER_TIME:
                raise StreamError(
                    f"topic {topic} has {_TIME_TYPE}={found[_TIME_TYPE]}; Segue tells "
                    f"late from early events by {_BROKER_TIME}: set that with "
                    "kafka-configs"
                )
    finally:
        client.close()


def topic_configs(settings: KafkaSettings) -> dict[str, dict[str, str]]:
    """Return the settings of each topic, by its name."""
    retention_ms = str(settings.retention_h * _MS_PER_H)
    events = {
        # Kafka's clock, not the client's, says how late or early an event is
        _TIME_TYPE: _BROKER_TIME,
        "retention.ms": retention_ms,
        "max.message.bytes": str(MAX_EVENT_MESSAGE_BYTES),
        "compression.type": "lz4",
    }
    return {
        settings.events_topic: events,
        settings.history_topic: events,
        settings.rejected_topic: {
            # a message that is rejected again after a restart has the same key
            "cleanup.policy": "compact,delete",
            "retention.ms": retention_ms,
            "max.message.bytes": str(MAX_REJECTED_MESSAGE_BYTES),
            "compression.type": "lz4",
        },
    }


def _create(
    client: Any, topic: str, n_partitions: int, wanted: Mapping[str, str]
) -> bool:
    """Create a topic; return False where it exists."""
    request = {topic: {"num_partitions": n_partitions, "configs": dict(wanted)}}
    try:
        client.create_topics(request, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        return False
    return True


def _compared(
    client: Any, topic: str, n_partitions: int, wanted: Mapping[str, str]
) -> str:
    """Return a line that says how far a topic is from what was wanted."""
    found = _configs(client, topic, wanted)
    found["partitions"] = str(len(client.describe_topics([topic])[0]["partitions"]))
    differences = [
        f"{key} is {found.get(key)}, not {value}"
        for key, value in {"partitions": str(n_partitions), **wanted}.items()
        if _normal(found.get(key, "")) != _normal(value)
    ]
    if not differences:
        return f"topic {topic}: there, as it should be"
    return f"topic {topic}: there, left as it is, but {'; '.join(differences)}"


def _configs(client: Any, topic: str, wanted: Mapping[str, str]) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, list(wanted))
    described = client.describe_configs([resource], config_filter="all")
    values = described["topic"][topic]
    return {key: str(config["value"]) for key, config in values.items()}


def _normal(value: str) -> list[str]:
    return sorted(value.split(","))
