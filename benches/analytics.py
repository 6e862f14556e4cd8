"""Measure how fast the analysts' pages answer, over a year of spans of plays.

A mongod, a broker and `segue dashboard` run, all real; `activity` holds what the
stream would have counted. An analyst opens a page over the live socket, each page in
turn with each range, again and again. `p95_ms` is the time from the question until
the page is there; `first_ms` that of the first question of a process, which reads
what later ones have in memory. `health` asks for nothing but a ping to MongoDB: the
reference of the run.

Then the streaming job takes in events, alone and beside ten analysts who poll, in turns
(`benches/analytics_readers.py`): `batch_time_ratio_with_readers` is how much longer the
median micro-batch takes beside them, of the query that suffers more.
"""

import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any, Final

import click
import numpy as np
from pymongo.database import Database
from websockets.sync.client import ClientConnection, connect

from benches.analytics_data import (
    N_STYLES,
    TRACKS_PER_ARTIST,
    fill_activity,
    fill_stream,
)
from benches.analytics_readers import measure_readers
from benches.dashboard_site import ask_health, cookie_of, log_in, served
from benches.population_data import fill_population, fill_reports
from benches.served_data import fill_served
from benches.stack import say, stack, write_index
from dashboard import ids
from segue import store
from segue.clock import system_clock
from segue.roles import Role
from segue.track_index import TrackIndex

_PARTS: Final = ("pages", "stream")
_RANGES: Final = ("1h", "6h", "24h", "7d", "30d", "90d", "1y", "all")
_AT_ONCE: Final = 10_000
_N_LISTENERS: Final = 5_000
_N_READERS: Final = 10
_PAGES: Final = {
    "now": ("analytics-now", ids.NOW_TILES, ""),
    "tracks": ("analytics-tracks", ids.RANKING, ""),
    "tracks_of_style": ("analytics-tracks", ids.RANKING, "style=style03"),
    "tracks_by_listeners": ("analytics-tracks", ids.RANKING, "sort=listeners"),
    "artists": ("analytics-tracks", ids.RANKING, "of=artists&sort=skip-rate"),
    "track": ("analytics-tracks", ids.POSITIONS_TABLE, "track=t0000100"),
    "quality": ("analytics-quality", ids.QUALITY_TILES, ""),
    "quality_of_surface": ("analytics-quality", ids.QUALITY_TILES, "surface=radio"),
    "listeners": ("analytics-listeners", ids.SESSION_TILES, ""),
    "map": ("analytics-map", ids.MAP_LEGEND, ""),
    "map_of_plays": ("analytics-map", ids.MAP_LEGEND, "colour=plays"),
    "audio": ("analytics-audio", ids.AUDIO_TILES, ""),
    "stream": ("analytics-stream", f"{ids.DELAYS}-table", ""),
}
"""Of each measurement: its view, a component of it, and its question besides time."""


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(_PARTS), help="Not both.")
@click.option("--plays", default=10_000_000, show_default=True, help="In the year.")
@click.option("--tracks", default=50_000, show_default=True, help="In the catalogue.")
@click.option("--times", default=10, show_default=True, help="Of each page and range.")
@click.option("--rate", default=20.0, show_default=True, help="Events a second.")
@click.option(
    "--seconds", default=90, show_default=True, help="Of each turn of the stream."
)
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(
    only: str | None,
    plays: int,
    tracks: int,
    times: int,
    rate: float,
    seconds: int,
    out: Any,
) -> None:
    """Run the measurement; see the module."""
    answer: dict[str, Any] = {"n_plays": plays, "n_tracks": tracks}
    with stack() as running:
        index = write_index(running.settings.home, tracks, np.random.default_rng(8))
        say(f"writing a year of {plays:,} plays …")
        _fill(running.database, index, plays)
        cookie = {"Cookie": cookie_of(log_in(running, "analyst", Role.ANALYST))}
        with served(running) as port:
            address = f"ws://127.0.0.1:{port}/ws/live"
            if only != "stream":
                answer |= _measure_pages(address, cookie, port, times)
            if only != "pages":
                running.start_stream()
                answer |= measure_readers(
                    *(running, address, cookie, _questions(), index.track_ids),
                    rate,
                    seconds,
                )
    json.dump(answer, out, indent=1)
    out.write("\n")


def _measure_pages(
    address: str, cookie: dict[str, str], port: int, times: int
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "times": times,
        "first_ms": {},
        "p50_ms": {},
        "p95_ms": {},
    }
    with connect(address, additional_headers=cookie, proxy=None) as socket:
        for name, (view, part, query) in _PAGES.items():
            _note(answer, name, _took_ms(socket, view, part, query, times))
    health = [_ms(lambda: ask_health(port)) for _ in range(8 * times)]
    answer["p95_ms"]["health"] = round(float(np.percentile(health, 95)), 1)
    return answer


def _fill(database: Database[store.Document], index: TrackIndex, plays: int) -> None:
    now, n_tracks = system_clock(), len(index.track_ids)
    _write_catalogue(database, n_tracks)
    fill_activity(database, now, plays, n_tracks, _N_LISTENERS)
    fill_served(database, now, n_tracks)
    fill_population(database, now, index, _N_LISTENERS)
    fill_reports(database, now, index)
    fill_stream(database, now)


def _questions() -> list[tuple[str, str]]:
    """Return what each of ten analysts looks at: each page, with several ranges."""
    pages = [(view, query) for view, _, query in _PAGES.values()]
    return [
        (view, "&".join(filter(None, (f"range={_RANGES[n % len(_RANGES)]}", query))))
        for n, (view, query) in zip(range(_N_READERS), cycle(pages), strict=False)
    ]


def _took_ms(
    socket: ClientConnection, view: str, part: str, query: str, times: int
) -> dict[str, list[float]]:
    """Return how long a page took, by range; each first time leads."""
    took: dict[str, list[float]] = {each: [] for each in _RANGES}
    for _ in range(times + 1):
        for each in _RANGES:
            key = "&".join(filter(None, (f"range={each}", query)))
            took[each].append(_ms(partial(_ask, socket, view, part, key)))
            _ask(socket, "", "", "")
    return took


def _ask(socket: ClientConnection, view: str, part: str, key: str) -> None:
    socket.send(json.dumps({"page": view, "key": key}))
    if not view:
        return
    while True:
        props = json.loads(socket.recv(timeout=60))["props"]
        if part in props:
            return
        if ids.ANALYSIS_NOTE in props and props[ids.ANALYSIS_NOTE]["children"]:
            raise click.ClickException(f"{view} {key}: {props[ids.ANALYSIS_NOTE]}")


def _ms(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def _note(answer: dict[str, Any], name: str, took: dict[str, list[float]]) -> None:
    later = [ms for each in took.values() for ms in each[1:]]
    answer["first_ms"][name] = round(max(each[0] for each in took.values()), 1)
    answer["p50_ms"][name] = round(statistics.median(later), 1)
    answer["p95_ms"][name] = round(float(np.percentile(later, 95)), 1)
    slow = {each: round(statistics.median(ms[1:]), 1) for each, ms in took.items()}
    say(f"{name}: {answer['p95_ms'][name]} ms · {slow}")


def _write_catalogue(database: Any, n_tracks: int) -> None:
    """Write what pages read of the catalogue."""
    n_artists = -(-n_tracks // TRACKS_PER_ARTIST)
    tracks = [
        {
            "_id": f"t{number:07d}",
            "title": f"Track {number}",
            "artist": f"Artist {number % n_artists}",
            "artist_id": f"artist{number % n_artists:05d}",
            "genre_ids": [f"style{number % N_STYLES:02d}"],
            "duration_s": 200.0,
        }
        for number in range(n_tracks)
    ]
    for first in range(0, n_tracks, _AT_ONCE):
        database[store.TRACKS].insert_many(tracks[first : first + _AT_ONCE])
    database[store.ARTISTS].insert_many(
        {"_id": f"artist{number:05d}", "name": f"Artist {number}"}
        for number in range(n_artists)
    )
    database[store.GENRES].insert_many(
        {"_id": f"style{number:02d}", "name": f"Style {number}", "n_tracks": 1}
        for number in range(N_STYLES)
    )


if __name__ == "__main__":
    main()
