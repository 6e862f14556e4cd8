"""How many messages a micro-batch takes: as many as fit in memory, at their size.

Spark counts messages, and takes the number once, when a query starts. What waits in
Kafka is looked at in a few places, and the largest mean size of these counts.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

from kafka import KafkaConsumer, TopicPartition

from segue.settings import Settings

_PLACES: Final = 8
_AT_A_PLACE: Final = 50
_POLL_MS: Final = 2_000
_LEAST_BYTES: Final = 256
_LEAST_MESSAGES: Final = 1_000
_MIB: Final = 1 << 20


def messages_per_batch(
    settings: Settings, topics: Sequence[str], share: float = 1.0
) -> int:
    """Return how many messages of the topics a micro-batch may take.

    Parameters
    ----------
    share : float
        Of `stream.batch_mb` and of `stream.max_offsets_per_trigger`, at most 1.
    """
    stream = settings.stream
    with closing(KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap)) as consumer:
        sizes = [_LEAST_BYTES, *_sizes(consumer, topics)]
    fitting = int(share * stream.batch_mb * _MIB / max(sizes))
    most = int(share * stream.max_offsets_per_trigger)
    return max(1, min(most, max(fitting, _LEAST_MESSAGES)))


def _sizes(consumer: KafkaConsumer, topics: Sequence[str]) -> Iterator[float]:
    """Yield the mean size of a few messages, for each place of each partition."""
    for topic in topics:
        numbers = consumer.partitions_for_topic(topic) or ()
        parts = [TopicPartition(topic, number) for number in numbers]
        first, last = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        for part in parts:
            n_waiting = last[part] - first[part]
            for place in range(min(_PLACES, n_waiting)):
                consumer.assign([part])
                consumer.seek(part, first[part] + place * n_waiting // _PLACES)
                found = consumer.poll(_POLL_MS, max_records=_AT_A_PLACE).values()
                bytes_of = [len(each.value or b"") for some in found for each in some]
                if bytes_of:
                    yield sum(bytes_of) / len(bytes_of)
