"""Measure how fast the dashboard answers, with many tracks and listens in MongoDB.

A mongod, a broker and `segue dashboard` run, all real; a listener who has a list and a
history asks over HTTP, each interaction many times, one after the other. `p95_ms` is
the time from the request to the last byte. `health` asks for nothing but a ping to
MongoDB: the reference of the run. Then Chromium opens the first page with an empty
cache: `first_content_ms` is the time until the first row of the list is painted, the
median of some. `player_js_bytes` are the scripts that music needs, headers and all, as
the wire carries them; `all_js_bytes` are all of our own.
"""

import json
import statistics
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

import click
import numpy as np
from playwright.sync_api import Browser, sync_playwright
from websockets.sync.client import connect

from benches.dashboard_data import Filled, fill
from benches.dashboard_site import cookie_of, log_in, served
from benches.stack import say, stack
from dashboard import ids
from dashboard.live import FOR_YOU, HOME_SHELVES, HORIZONS
from segue.accounts import Login
from segue.browser import BROWSER_FLAGS, find_browser

_JSON: Final = {"Content-Type": "application/json"}
_LOADS: Final = 7
_FOR_MUSIC: Final = ("/scripts/doors.js", "/scripts/player.js")
_TYPO_EACH: Final = 4
_IN_PLAYLIST: Final = 500
_PAINTED: Final = """
new MutationObserver((_changes, observer) => {
  if (!document.querySelector("#for-you .track")) return;
  observer.disconnect();
  const note = () => (window.firstContentMs = performance.now());
  requestAnimationFrame(() => requestAnimationFrame(note));
}).observe(document, { childList: true, subtree: true });
"""


@click.command(help=__doc__)
@click.option("--tracks", default=50_000, show_default=True, help="In the catalogue.")
@click.option("--listens", default=1_000_000, show_default=True, help="In MongoDB.")
@click.option("--listeners", default=5_000, show_default=True, help="Whose they are.")
@click.option("--times", default=200, show_default=True, help="Of each interaction.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(tracks: int, listens: int, listeners: int, times: int, out: Any) -> None:
    """Run the measurement; see the module."""
    with stack() as running:
        say(f"writing {tracks:,} tracks and {listens:,} listens …")
        filled = fill(running.settings, running.database, tracks, listens, listeners)
        login = log_in(running, filled.listener)
        with served(running) as port:
            asked = Asked(port, login, log_in(running, "newcomer"), filled)
            answer = {
                "n_tracks": tracks,
                "n_listens": listens,
                "times": times,
                "p95_ms": {},
                "p50_ms": {},
                **_first_content(port, login),
            }
            for name, act in asked.interactions().items():
                asked.reconnect()
                took_ms = _took_ms(act, times)
                answer["p50_ms"][name] = round(statistics.median(took_ms), 1)
                answer["p95_ms"][name] = round(float(np.percentile(took_ms, 95)), 1)
                say(f"{name}: {answer['p50_ms'][name]} · {answer['p95_ms'][name]} ms")
    json.dump(answer, out, indent=1)
    out.write("\n")


def _took_ms(act: Callable[[int], None], times: int) -> list[float]:
    took_ms = []
    for number in range(times + max(5, times // 20)):
        start = time.perf_counter()
        act(number)
        took_ms.append((time.perf_counter() - start) * 1000)
    return took_ms[-times:]  # the first ones load code


class Asked:
    """What a listener asks for, as a browser does."""

    def __init__(self, port: int, login: Login, new: Login, filled: Filled) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._cookie, self._new = cookie_of(login), cookie_of(new)
        self._address = f"ws://127.0.0.1:{port}/ws/live"
        self._filled, self._rng = filled, np.random.default_rng(3)
        found = json.loads(self._ask("GET", f"/api/recommendations/{filled.listener}"))
        self._playlist = self._make_playlist()
        self._titles = [each["title"] for each in found["items"]]

    def reconnect(self) -> None:
        """Begin anew: the server ends connections that have been idle."""
        self._connection.close()

    def interactions(self) -> dict[str, Callable[[int], None]]:
        """Return what is measured, by name; each takes a running number."""
        return {
            "health": lambda _: self._read("/healthz"),
            "search": self._search,
            "home": lambda _: self._page("/"),
            "for_you": lambda _: self._push(FOR_YOU, ids.FOR_YOU),
            "for_you_new": lambda _: self._push(FOR_YOU, ids.FOR_YOU, self._new),
            "home_horizons": lambda _: self._push(HORIZONS, ids.HORIZON_LISTS["now"]),
            "home_shelves": lambda _: self._push(HOME_SHELVES, ids.NEW_CARDS),
            "playlist_edit": self._edit_playlist,
            "playlist": lambda _: self._page(f"/playlist/{self._playlist}"),
            "radio": self._tune,
            "history": lambda _: self._push("history", ids.HISTORY),
            "track": lambda _: self._page(f"/track/{self._any_track()}"),
            "search_page": lambda _: self._page("/search"),
        }

    def _search(self, number: int) -> None:
        title = self._titles[number % len(self._titles)]
        text = title[: 2 + number % (len(title) - 1)]
        if number % _TYPO_EACH == 0:
            at = int(self._rng.integers(len(text)))
            text = f"{text[:at]}x{text[at + 1 :]}"
        self._callback("found.children", "search.value", text)

    def _page(self, path: str) -> None:
        self._callback("content.children", "location.pathname", path)

    def _any_track(self) -> str:
        ids = self._filled.track_ids
        return ids[int(self._rng.integers(len(ids)))]

    def _push(self, page: str, part: str, who: str | None = None) -> None:
        """Open a socket, ask for a page, and wait until a part of it is there."""
        cookie = {"Cookie": who or self._cookie}
        with connect(self._address, additional_headers=cookie, proxy=None) as socket:
            socket.send(json.dumps({"page": page}))
            while part not in json.loads(socket.recv(timeout=30))["props"]:
                pass

    def _make_playlist(self) -> str:
        tracks = {"name": "Bench", "track_ids": self._filled.track_ids[:_IN_PLAYLIST]}
        return str(json.loads(self._ask("POST", "/api/playlists", tracks))["key"])

    def _edit_playlist(self, _number: int) -> None:
        """Put a track to the end of a long playlist."""
        added = {"track_ids": [self._any_track()]}
        self._ask("POST", f"/api/playlists/{self._playlist}/add", added)

    def _tune(self, number: int) -> None:
        kind = "taste" if number % 2 else "track"
        key = "" if kind == "taste" else self._any_track()
        seed = {"kind": kind, "key": key}
        asked = {"seed": seed, "familiar": 0.0, "variety": 0.3, "n": 20}
        self._ask("POST", "/api/radio", asked)

    def _callback(self, output: str, asked: str, value: str) -> None:
        to, prop = output.split(".")
        by, name = asked.split(".")
        body = {
            "output": output,
            "outputs": {"id": to, "property": prop},
            "inputs": [{"id": by, "property": name, "value": value}],
            "changedPropIds": [asked],
            "state": [],
        }
        self._ask("POST", "/_dash-update-component", body)

    def _read(self, path: str) -> None:
        self._ask("GET", path)

    def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Cookie": self._cookie, **(_JSON if content else {})}
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise click.ClickException(
                f"{method} {path}: {answer.status} {told[:300]!r}"
            )
        return told


def _first_content(port: int, login: Login) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(find_browser()), args=list(BROWSER_FLAGS)
        )
        loads = [_load(browser, port, login) for _ in range(_LOADS)]
        browser.close()
    return {
        "first_content_ms": round(statistics.median(ms for ms, _ in loads)),
        "player_js_bytes": sum(loads[-1][1][path] for path in _FOR_MUSIC),
        "all_js_bytes": sum(loads[-1][1].values()),
    }


def _load(browser: Browser, port: int, login: Login) -> tuple[float, dict[str, int]]:
    """Return the milliseconds to the first row, and the bytes of our scripts."""
    url = f"http://127.0.0.1:{port}"
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    for each in login.cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.add_init_script(_PAINTED)
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    ours: dict[str, int] = {}
    names: dict[str, str] = {}
    network.on(
        "Network.responseReceived",
        lambda said: names.update({said["requestId"]: said["response"]["url"]}),
    )

    def loaded(said: dict[str, Any]) -> None:
        name = names.get(said["requestId"], "")
        if name.startswith(f"{url}/scripts/"):
            ours[urlsplit(name).path] = int(said["encodedDataLength"])

    network.on("Network.loadingFinished", loaded)
    page.goto(url)
    page.wait_for_function("() => window.firstContentMs")
    took_ms = float(page.evaluate("window.firstContentMs"))
    page.wait_for_load_state("networkidle")
    context.close()
    return took_ms, ours


if __name__ == "__main__":
    main()
