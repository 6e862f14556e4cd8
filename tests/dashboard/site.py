"""A dashboard that is really served: its address, events, database and library."""

import asyncio
import http.client
import io
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import soundfile
import uvicorn
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from dashboard.app import create_app
from dashboard.server import listening_socket
from segue import store
from segue.accounts import Login, open_login, run_with
from segue.clock import system_clock
from segue.errors import KafkaUnreachableError
from segue.events import PlaybackEvent
from segue.passwords import NOBODY
from segue.roles import Identity, Role
from segue.settings import MongoSettings, Settings
from segue.store import Document

_T = TypeVar("_T")
RATE_HZ = 8_000
LONG_S = 180.0


@dataclass
class CollectingSink:
    """An event sink that keeps what it gets; it can be told to be away."""

    events: list[PlaybackEvent] = field(default_factory=list)
    is_away: bool = False

    def publish(self, *events: PlaybackEvent) -> None:
        if self.is_away:
            raise KafkaUnreachableError("no broker answers at 127.0.0.1:1")
        self.events.extend(events)

    def actions(self) -> list[str]:
        return [event.action.value for event in self.events]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


ADA: Final = Identity("ada", Role.ADMIN)


@dataclass
class Site:
    """A served dashboard; who asks is `ada`, an admin, unless a test says otherwise."""

    port: int
    sink: CollectingSink
    database: Database[Document]
    library: Path
    history: CollectingSink = field(default_factory=CollectingSink)
    mongo: MongoSettings | None = None
    home: Path = Path()
    _logins: dict[Identity, Login] = field(default_factory=dict)

    def log_in(self, who: Identity = ADA) -> Login:
        """Return the log-in of somebody, whose account is made where there is none."""
        if who not in self._logins:
            assert self.mongo is not None
            self._logins[who] = logged_in(self.mongo, who)
        return self._logins[who]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        who: Identity | None = ADA,
    ) -> Answer:
        named = dict(headers or {})
        if who is not None and self.mongo is not None:
            named.setdefault("Cookie", cookie_header(self.log_in(who)))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            told: dict[str, str] = {}
            for name, value in answer.getheaders():  # two cookies are two headers
                before = told.get(name.lower())
                told[name.lower()] = value if before is None else f"{before}\n{value}"
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()


def logged_in(settings: MongoSettings, who: Identity) -> Login:
    """Make an account that has no password, and log in."""
    database = store.connect(settings)
    document = {"_id": who.user_id, "folded": who.user_id, "password": NOBODY}
    role = {"role": who.role.value, "created_at": system_clock()}
    store.upsert(database, store.USERS, [document | role])
    database.client.close()
    return run_with(settings, lambda d: open_login(d, who.user_id, system_clock, 1))


def cookie_header(login: Login) -> str:
    return "; ".join(f"{each['name']}={each['value']}" for each in login.cookies())


@contextmanager
def served(
    settings: Settings, sink: CollectingSink, history: CollectingSink | None = None
) -> Iterator[int]:
    """Serve a dashboard in a thread; yields its port."""
    past = CollectingSink() if history is None else history
    with listening_socket(settings.dashboard) as listening:
        database = store.connect_async(settings.mongo)
        app = create_app(settings, database, sink, past, system_clock)
        config = uvicorn.Config(
            app, log_config=None, lifespan="on", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive()


def read(
    settings: Settings, query: Callable[[AsyncDatabase[Document]], Awaitable[_T]]
) -> _T:
    """Run one query on an event loop and a connection of its own."""

    async def run() -> _T:
        database = store.connect_async(settings.mongo)
        try:
            return await query(database)
        finally:
            await database.client.close()

    return asyncio.run(run())


def write_library(folder: Path, n_tracks: int = 6) -> list[Document]:
    """Write tones as audio, the first one long, and return their documents."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n_tracks):
        (folder / f"track{number}.wav").write_bytes(_tone(number))
    return [_document(folder, number) for number in range(n_tracks)]


def _duration_s(number: int) -> float:
    return LONG_S if number == 0 else 4.0


@cache
def _tone(number: int) -> bytes:
    at = np.arange(int(_duration_s(number) * RATE_HZ)) / RATE_HZ
    wave = 0.1 * np.sin(2 * np.pi * (220 + 40 * number) * at)
    file = io.BytesIO()
    soundfile.write(file, wave.astype(np.float32), RATE_HZ, format="WAV")
    return file.getvalue()


def _document(folder: Path, number: int) -> Document:
    path = folder / f"track{number}.wav"
    return {
        "_id": f"t{number}",
        "title": f"Sweep {number}",
        "artist": f"Artist {number // 2}",
        "album": "Sines",
        "genre": ["house", "ambient", "dub"][number % 3],
        "year": None,
        "track_no": number,
        "duration_s": _duration_s(number),
        "path": str(path),
        "root": str(folder),
        "cover_path": None,
        "mime": "audio/wav",
        "size_bytes": path.stat().st_size,
        "content_sha256": "",
        "scanned_at": datetime.now(UTC),
    }


def list_document(user_id: str, track_ids: list[str]) -> Document:
    """Return a list of recommendations that was made now."""
    now = datetime.now(UTC)
    return {
        "_id": user_id,
        "items": [
            {
                "track_id": track_id,
                "rank": rank,
                "score": 0.95 - 0.1 * rank,
                "parts": {"now": 0.9 - 0.1 * rank, "skips": 0.05},
                "because": [{"track_id": "t0", "share": 1.0, "window_start": now}],
                "explored": rank == 1,
                "propensity": 0.95,
            }
            for rank, track_id in enumerate(track_ids, start=1)
        ],
        "index_version": "v1",
        "newest_event_at": now - timedelta(seconds=1),
        "updated_at": now,
    }
