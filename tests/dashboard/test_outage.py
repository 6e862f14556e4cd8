"""MongoDB goes away and comes back while pages look."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.sync.client import ClientConnection, connect

from segue import store
from segue.errors import MissingProgramError
from segue.services import mongo, process
from segue.settings import Settings
from tests.dashboard.site import (
    ADA,
    CollectingSink,
    cookie_header,
    list_document,
    logged_in,
    served,
    write_library,
)

pytestmark = [pytest.mark.mongo, pytest.mark.slow]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    try:
        mongo.find_mongod()
    except MissingProgramError as error:
        if os.environ.get("SEGUE_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(str(error))
    yield tmp_path
    process.stop(tmp_path, mongo.NAME)


def test_sockets_hear_of_an_outage_and_get_what_they_missed(
    home: Path, settings: Callable[..., Settings]
) -> None:
    child = mongo.launch(home, 0)
    uri = mongo.wait(child)
    ours = settings(mongo={"uri": SecretStr(uri), "timeout_ms": 800})
    database = store.connect(ours.mongo)
    store.upsert(database, store.TRACKS, write_library(home / "music", 3))
    cookie = {"Cookie": cookie_header(logged_in(ours.mongo, ADA))}
    with (
        served(ours, CollectingSink()) as port,
        connect(
            f"ws://127.0.0.1:{port}/ws/live", additional_headers=cookie, proxy=None
        ) as socket,
    ):
        socket.send('{"page": "for-you"}')
        _next(socket, lambda message: "for-you" in message["props"])
        process.stop(home, mongo.NAME)
        _next(socket, lambda message: message["status"] == "away")
        assert (
            mongo.wait(mongo.launch(home, int(uri.split(":")[2].split("/")[0]))) == uri
        )
        document = list_document("ada", ["t2"])
        store.upsert(database, store.RECOMMENDATIONS, [document])
        found = _next(socket, lambda message: _first_row(message) == "t2")
        assert found["status"] == "ok"
    database.client.close()


def _first_row(message: Any) -> str | None:
    rows = message["props"].get("for-you", {}).get("children", [])
    return rows[0]["props"].get("data-track-id") if rows else None


def _next(socket: ClientConnection, is_wanted: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        message = json.loads(socket.recv(timeout=30))
        if is_wanted(message):
            return message
    raise TimeoutError("no such message")
