"""Playback events into Kafka, acknowledged and in order."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from segue.errors import InvalidEventError, KafkaUnreachableError
from segue.events import (
    MAX_EVENT_BYTES,
    EventSink,
    PlaybackEvent,
    Reason,
    parse_event,
)
from segue.services.kafka import admin
from segue.settings import KafkaSettings

_ACK_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 5.0
_LINGER_MS: Final = 2


class Producer:
    """Publishes playback events; one listener's events keep their order.

    The key of a message is its `user_id`, every message is acknowledged by all in-sync
    replicas, and a retry inside the client adds no second copy.

    Raises
    ------
    KafkaUnreachableError
        From the constructor, when no broker answers.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._topic = settings.events_topic
        self._bootstrap = str(settings.bootstrap)
        # the client alone would try for half a minute before it gives up
        admin(self._bootstrap, settings.timeout_ms).close()
        try:
            self._client = KafkaProducer(
                bootstrap_servers=settings.bootstrap,
                client_id="segue",
                acks="all",
                enable_idempotence=True,
                linger_ms=_LINGER_MS,
                max_block_ms=int(_ACK_TIMEOUT_S * 1000),
            )
        except KafkaError as error:
            raise self._unreachable(error) from error

    def publish(self, *events: PlaybackEvent) -> None:
        """Send events; when this returns, Kafka has them.

        Raises
        ------
        InvalidEventError
            For an event of more than 64 KiB; none of `events` is sent.
        KafkaUnreachableError
            When the broker does not acknowledge in time. Sending again is harmless:
            an `event_id` counts once.
        """
        messages = [(event.user_id.encode(), _encode(event)) for event in events]
        try:
            acks = [
                self._client.send(self._topic, key=key, value=value)
                for key, value in messages
            ]
            for ack in acks:
                ack.get(timeout=_ACK_TIMEOUT_S)
        except MessageSizeTooLargeError as error:
            raise InvalidEventError(Reason.TOO_LARGE, str(error)) from error
        except KafkaError as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Hand the connection back."""
        self._client.close(timeout=_CLOSE_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _unreachable(self, error: KafkaError) -> KafkaUnreachableError:
        return KafkaUnreachableError(
            f"Kafka at {self._bootstrap} does not take events ({error!r}); start it "
            "with `segue up`, or set SEGUE_KAFKA_BOOTSTRAP to a running broker"
        )


def publish_lines(
    sink: EventSink, lines: Iterable[bytes], report: Callable[[str], None]
) -> tuple[int, int]:
    """Publish each line that is an event; return how many were sent and refused.

    Parameters
    ----------
    report : callable
        Takes one line for each that was refused: its number and the reason.
    """
    n_sent = n_refused = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            sink.publish(parse_event(line))
            n_sent += 1
        except InvalidEventError as error:
            n_refused += 1
            report(f"line {number}: {error}")
    return n_sent, n_refused


def _encode(event: PlaybackEvent) -> bytes:
    value = event.to_json()
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEventError(
            Reason.TOO_LARGE,
            f"event {event.event_id} has {len(value)} bytes, at most {MAX_EVENT_BYTES}",
        )
    return value
