"""`POST /api/events`: a listener's own playback events, on their way to Kafka."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from dashboard.access import require_own
from dashboard.refusals import RefusedError, json_error
from segue.errors import (
    InvalidEventError,
    KafkaUnreachableError,
    Reason,
    SegueError,
)
from segue.events import Action, EventSink, PlaybackEvent, Scope, parse_event
from segue.listeners import is_listener

MAX_EVENTS: Final = 100
RECEIPT_COOKIE: Final = "segue_taken"
"""Names the last event of a page that has gone, for the scripts of the next one."""
_RECEIPT_S: Final = 30 * 24 * 3600
_COOKIE_VALUE: Final = re.compile(r"[\w-]+", re.ASCII)
_MAX_WAITING: Final = 32


class InvalidBatchError(InvalidEventError):
    """An event of a batch is not valid.

    Attributes
    ----------
    index : int
        Its place in the batch, from 0.
    """

    def __init__(self, reason: str, detail: str, index: int) -> None:
        super().__init__(reason, detail)
        self.index = index


class Publisher:
    """Hands events to the sink in one thread: in order, and off the event loop.

    Posts that would have to wait behind too many others are refused at once, so
    that a broker that is away does not pile them up.
    """

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publish")
        self._n_waiting = 0

    async def publish(self, events: list[PlaybackEvent]) -> None:
        """Send all events.

        Raises
        ------
        KafkaUnreachableError
            When the sink cannot send them, or is too far behind.
        """
        if self._n_waiting >= _MAX_WAITING:
            raise KafkaUnreachableError(
                f"{self._n_waiting} posts wait for Kafka; send these events again later"
            )
        self._n_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._publish_all, events)
        finally:
            self._n_waiting -= 1

    def close(self) -> None:
        """Let the thread end; what waits is not sent and was not acknowledged."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _publish_all(self, events: list[PlaybackEvent]) -> None:
        self._sink.publish(*events)


def create_router(publisher: Publisher) -> APIRouter:
    """Return the route `/api/events`."""
    router = APIRouter()

    async def post_events(request: Request) -> Response:
        try:
            events = read_events(await request.body())
            for event in events:
                require_own(event.user_id)
                _refuse_farewell(event)
            await publisher.publish(events)
        except RefusedError as refusal:
            return json_error(refusal.status, refusal.reason, refusal.detail)
        except InvalidBatchError as error:
            return json_error(400, error.reason, error.detail, index=error.index)
        except InvalidEventError as error:
            return json_error(400, error.reason, error.detail, index=0)
        except SegueError as error:
            return json_error(503, "kafka_unreachable", str(error))
        return _with_receipt(JSONResponse({"accepted": len(events)}, 202), events)

    router.add_api_route("/api/events", post_events, methods=["POST"])
    return router


def _with_receipt(answer: Response, events: list[PlaybackEvent]) -> Response:
    """Say in a cookie that the last word of a page has arrived.

    The page has gone and hears no answer; the next one would send the event again.
    """
    last = events[-1]
    is_farewell = (last.source or {}).get("end") == "closed"
    if is_farewell and _COOKIE_VALUE.fullmatch(last.event_id):
        answer.set_cookie(
            RECEIPT_COOKIE, last.event_id, max_age=_RECEIPT_S, samesite="strict"
        )
    return answer


def _refuse_farewell(event: PlaybackEvent) -> None:
    """Raise `RefusedError` for what only a password, or an admin, may ask for."""
    if event.action == Action.FORGOTTEN and event.scope == Scope.EVERYTHING:
        raise RefusedError(
            403, "not_by_event", "delete the account to have everything forgotten"
        )


def read_events(body: bytes) -> list[PlaybackEvent]:
    """Read one event object, or `{"events": [...]}`; all of them or none.

    Raises
    ------
    InvalidBatchError
        For the first event that is not valid.
    """
    return [_event(index, value) for index, value in enumerate(_values(body))]


def _values(body: bytes) -> list[Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidBatchError(Reason.NOT_JSON, str(error), 0) from None
    if not isinstance(content, dict):
        found = type(content).__name__
        raise InvalidBatchError(Reason.NOT_OBJECT, f"wanted an object, got {found}", 0)
    values = content.get("events", [content])
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_EVENTS:
        raise InvalidBatchError(
            Reason.WRONG_VALUE, f"events: want a list of 1 to {MAX_EVENTS}", 0
        )
    return values


def _event(index: int, value: Any) -> PlaybackEvent:
    try:
        event = parse_event(json.dumps(value, ensure_ascii=False).encode())
    except InvalidEventError as error:
        raise InvalidBatchError(error.reason, error.detail, index) from None
    except UnicodeEncodeError as error:
        raise InvalidBatchError(Reason.NOT_JSON, error.reason, index) from None
    if not is_listener(event.user_id):
        raise InvalidBatchError(
            Reason.WRONG_VALUE,
            "user_id: want 1 to 64 letters, digits, dots, dashes or underscores",
            index,
        )
    return event
