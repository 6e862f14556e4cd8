"""Accounts over HTTP: each way in, each way out, and who may ask for what."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.access import ANALYSES
from dashboard.analytics import audio, quality
from segue import store
from segue.accounts import COOKIE, add_account, run_with
from segue.activity import Level
from segue.clock import system_clock
from segue.roles import Identity, Role
from segue.settings import Settings
from segue.shown import ShownList, ShownRow
from segue.tokens import create_token
from tests.dashboard.site import Answer, CollectingSink, Site, served
from tests.streaming.served import show

pytestmark = pytest.mark.mongo

BEN = Identity("ben", Role.LISTENER)
MARA = Identity("mara", Role.ANALYST)
SUITES = "/_dash-component-suites"
JSON = {"Content-Type": "application/json"}
WORDS: dict[str, Any] = {"name": "ben", "password": "seven swans"}


def post(
    site: Site, path: str, who: Identity | None = None, cookie: str = "", **texts: Any
) -> Answer:
    headers = {**JSON, **({"Cookie": cookie} if cookie else {})}
    return site.ask(path, "POST", json.dumps(texts).encode(), headers, who)


def cookie_of(answer: Answer) -> str:
    (told,) = re.findall(f"{COOKIE}=[^;]+", answer.headers["set-cookie"])
    return str(told)


def reason_of(answer: Answer) -> str:
    return str(json.loads(answer.body)["error"]["reason"])


def test_who_signs_up_is_logged_in_until_they_log_out(site: Site) -> None:
    answer = post(site, "/api/sign-up", **WORDS)
    assert answer.status == 200
    mine = {"Cookie": cookie_of(answer)}
    path = "/api/recommendations/ben"
    assert site.ask(path, headers=mine, who=None).status == 200
    assert post(site, "/api/log-out", cookie=mine["Cookie"]).status == 200
    assert site.ask(path, headers=mine, who=None).status == 401


def test_a_log_in_is_a_cookie_that_no_script_and_no_other_site_has(
    site: Site,
) -> None:
    post(site, "/api/sign-up", **WORDS)
    answer = post(site, "/api/log-in", **{**WORDS, "name": "Ben"})
    told = answer.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=lax" in told
    assert site.database[store.LOGINS].count_documents({"user_id": "ben"}) == 2
    kept = str(list(site.database[store.LOGINS].find()))
    assert cookie_of(answer).removeprefix(f"{COOKIE}=") not in kept
    assert "seven swans" not in str(list(site.database[store.USERS].find()))


@pytest.mark.parametrize(
    ("texts", "status", "reason"),
    [
        ({"name": "ben", "password": "other swans"}, 401, "wrong_login"),
        ({"name": "nobody", "password": "seven swans"}, 401, "wrong_login"),
        ({"name": "", "password": ""}, 401, "wrong_login"),
        ({"name": "ben"}, 400, "wrong_type"),
        ({"name": "ben", "password": {"$ne": None}}, 400, "wrong_type"),
        ({"name": "ben", "password": "\ud800"}, 400, "wrong_type"),
    ],
)
def test_nobody_gets_in_without_name_and_password(
    site: Site, texts: dict[str, Any], status: int, reason: str
) -> None:
    post(site, "/api/sign-up", **WORDS)
    answer = post(site, "/api/log-in", **texts)
    assert (answer.status, reason_of(answer)) == (status, reason)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("texts", "status", "reason"),
    [
        ({"name": "BEN"}, 409, "name_taken"),
        ({"name": "played"}, 409, "name_taken"),
        ({"name": "a b"}, 400, "bad_name"),
        ({"name": "../x"}, 400, "bad_name"),
        ({"name": "x" * 65}, 400, "bad_name"),
        ({"name": "carl", "password": "short"}, 400, "bad_password"),
        ({"name": "carl", "password": "x" * 257}, 400, "bad_password"),
        ({"name": "carl.carl", "password": "Carl.Carl"}, 400, "bad_password"),
    ],
)
def test_an_account_that_cannot_be_made_is_said_why(
    site: Site, texts: dict[str, Any], status: int, reason: str
) -> None:
    post(site, "/api/sign-up", **WORDS)
    site.database[store.LISTENS].insert_one({"_id": "played|p", "user_id": "played"})
    answer = post(site, "/api/sign-up", **(WORDS | texts))
    assert (answer.status, reason_of(answer)) == (status, reason)
    assert site.database[store.USERS].count_documents({}) == 1


def test_tries_are_counted(site: Site) -> None:
    post(site, "/api/sign-up", **WORDS)
    wrong: dict[str, Any] = {**WORDS, "password": "other swans"}
    answers = [post(site, "/api/log-in", **wrong).status for _ in range(10)]
    assert answers == [401] * 9 + [429]  # the sign-up was the first
    assert post(site, "/api/log-in", **WORDS).status == 429
    assert post(site, "/api/sign-up", name="carl", password="x" * 8).status == 200
    # names that none can have are counted together
    odd = [post(site, "/api/log-in", name=f"{n} x", password="x") for n in range(11)]
    assert [each.status for each in odd] == [401] * 10 + [429]


def test_a_monstrous_password_takes_no_longer_than_another(site: Site) -> None:
    """To compose its marks would take minutes."""
    post(site, "/api/sign-up", **WORDS)
    marks = "e" + "\u0301\u0323" * 15_000
    started = time.monotonic()
    for path in ("/api/log-in", "/api/sign-up"):
        answer = post(site, path, name="carl", password=marks)
        assert answer.status in (400, 401)
    assert time.monotonic() - started < 10


def test_only_the_password_has_everything_forgotten(site: Site) -> None:
    event = {
        "schema": 1,
        **dict.fromkeys(("event_id", "session_id", "play_id"), "x"),
        **{"user_id": "ada", "track_id": "-", "action": "forgotten"},
        **{"scope": "everything", "event_time": "2026-05-03T22:10:00.000Z"},
    }
    body = json.dumps(event).encode()
    answer = site.ask("/api/events", "POST", body, JSON)
    assert (answer.status, reason_of(answer)) == (403, "not_by_event")
    assert site.sink.events == []


def test_without_sign_up_an_admin_makes_the_accounts(
    settings: Callable[..., Settings],
) -> None:
    ours = settings(dashboard={"sign_up": False, "public_host": "music.example"})
    sink = CollectingSink()
    with served(ours, sink) as port:
        site = Site(port, sink, store.connect(ours.mongo), ours.home)
        assert b"made by the admin" in site.ask("/sign-up").body
        refused = post(site, "/api/sign-up", **WORDS)
        assert (refused.status, reason_of(refused)) == (403, "no_sign_up")
        run_with(
            ours.mongo,
            lambda d: add_account(d, "ben", "seven swans", Role.LISTENER, system_clock),
        )
        host = {**JSON, "Host": "music.example"}
        body = json.dumps(WORDS).encode()
        answer = site.ask("/api/log-in", "POST", body, host, None)
        assert "secure" in answer.headers["set-cookie"].lower()
        site.database.client.close()


def test_another_password_ends_the_other_log_ins(site: Site) -> None:
    first = cookie_of(post(site, "/api/sign-up", **WORDS))
    second = cookie_of(post(site, "/api/log-in", **WORDS))
    words: dict[str, Any] = {"old": "seven swans", "new": "eight swans"}
    wrong = post(site, "/api/password", cookie=first, old="x", new="eight swans")
    assert (wrong.status, reason_of(wrong)) == (403, "wrong_password")
    changed = post(site, "/api/password", cookie=first, **words)
    assert changed.status == 200
    for cookie, status in ((first, 401), (second, 401), (cookie_of(changed), 200)):
        page = site.ask("/_dash-layout", headers={"Cookie": cookie}, who=None)
        assert page.status == status
    assert post(site, "/api/log-in", **WORDS).status == 401


def test_who_deletes_their_account_is_forgotten(site: Site) -> None:
    cookie = cookie_of(post(site, "/api/sign-up", **WORDS))
    token = create_token(site.database, "ben", system_clock)
    at = system_clock()
    rows = [ShownRow("t1", 1, "now", explored=False)]
    show(site.database, ShownList("ben", "ben@1", "player", None, rows, at))
    site.database[store.SERVED_DUE].delete_many({})
    assert post(site, "/api/delete-account", cookie=cookie, password="x").status == 403
    site.sink.is_away = True
    away = post(site, "/api/delete-account", cookie=cookie, password="seven swans")
    assert away.status == 503
    assert site.database[store.USERS].count_documents({}) == 1
    site.sink.is_away = False
    gone = post(site, "/api/delete-account", cookie=cookie, password="seven swans")
    assert gone.status == 200
    event = site.sink.events[0]
    assert (
        len({each.event_id for each in site.sink.events}) == 2
    )  # once more at the end
    assert (event.user_id, event.action, event.scope) == (
        "ben",
        "forgotten",
        "everything",
    )
    gone_too = (store.SHOWN_LISTS, store.SHOWN_DAYS)
    for place in (store.USERS, store.LOGINS, store.TOKENS, *gone_too):
        assert site.database[place].count_documents({}) == 0
    # what was counted of it is counted without it
    (due,) = site.database[store.SERVED_DUE].find()
    assert due["start"] == Level.HOUR.start_of(at)
    for headers in ({"Cookie": cookie}, {"Authorization": f"Token {token}"}):
        assert site.ask("/_dash-layout", headers=headers, who=None).status == 401


def test_a_log_in_that_is_over_counts_no_more(site: Site) -> None:
    cookie = cookie_of(post(site, "/api/sign-up", **WORDS))
    now = system_clock()
    site.database[store.LOGINS].update_many({}, {"$set": {"expires_at": now}})
    answer = site.ask("/_dash-layout", headers={"Cookie": cookie}, who=None)
    assert answer.status == 401


NO_KEY = "0" * 16
NO_TOKEN = "x" * 22
ROUTES = [
    ("GET", "/", (303, 200, 200)),
    ("GET", "/analytics", (303, 200, 200)),
    ("GET", "/analytics/tracks", (303, 200, 200)),
    ("GET", "/analytics/audio", (303, 200, 200)),
    ("GET", "/analytics/quality", (303, 200, 200)),
    ("GET", "/analytics/listeners", (303, 200, 200)),
    ("GET", "/analytics/stream", (303, 200, 200)),
    *(
        ("GET", f"/api/analytics/{name}.{form}", (401, 403, status))
        for name, status in (
            *(("plays", 200), ("tracks", 200), ("artists", 200), ("styles", 200)),
            *(("surfaces", 200), ("positions", 404), ("nothing", 404)),
            # there is no report
            *((name, 404) for name in audio.TABLES),
            *((name, 200) for name in quality.FILES),
            *(("delays", 200), ("queries", 200), ("messages", 200)),
            *(("sessions", 200), ("retention", 200), ("clusters", 200)),
            ("returns", 200),
            *(("heatmap", 200), ("trajectory", 403)),
            *(("map", 404), ("movement", 404)),
        )
        for form in ("csv", "parquet")
    ),
    ("GET", "/analytics/map", (303, 200, 200)),
    ("GET", "/api/analytics/map/figure", (401, 403, 404)),
    ("GET", "/api/analytics/map/movement", (401, 403, 404)),
    ("GET", "/api/analytics/map/track", (401, 403, 404)),
    ("POST", "/api/analytics/map/tracks", (401, 403, 400)),
    ("GET", "/radio", (303, 200, 200)),
    ("GET", "/settings", (303, 200, 200)),
    ("GET", "/search", (303, 200, 200)),
    ("GET", "/liked", (303, 200, 200)),
    ("GET", "/history", (303, 200, 200)),
    ("GET", "/blocked", (303, 200, 200)),
    ("GET", "/artist/x", (303, 404, 404)),
    ("GET", "/album/x", (303, 404, 404)),
    ("GET", "/genre/x", (303, 404, 404)),
    ("GET", "/track/t1", (303, 200, 200)),
    ("GET", "/playlists", (303, 200, 200)),
    ("GET", "/playlist/x", (303, 404, 404)),
    ("GET", "/shared/x", (303, 404, 404)),
    ("GET", "/api/playlists", (401, 200, 200)),
    ("GET", f"/api/playlists/{NO_KEY}", (401, 404, 404)),
    ("GET", f"/api/playlists/{NO_KEY}/export", (401, 404, 404)),
    ("GET", f"/api/shared/{NO_TOKEN}", (401, 404, 404)),
    ("POST", "/api/playlists", (401, 400, 400)),
    ("POST", "/api/playlists/import", (401, 415, 415)),
    *(
        ("POST", f"/api/playlists/{NO_KEY}/{edit}", (401, status, status))
        for edit, status in (
            *(("rename", 400), ("add", 400), ("remove", 400), ("move", 400)),
            *(("delete", 404), ("undelete", 404), ("share", 404), ("unshare", 404)),
        )
    ),
    ("POST", f"/api/shared/{NO_TOKEN}/copy", (401, 404, 404)),
    ("GET", "/api/tokens", (401, 200, 200)),
    ("POST", "/api/tokens", (401, 201, 201)),
    ("POST", "/api/tokens/revoke", (401, 400, 400)),
    ("GET", "/api/music", (401, 403, 403)),
    ("GET", "/api/music/import", (401, 403, 403)),
    ("POST", "/api/music/import", (401, 403, 403)),
    ("POST", "/api/music/stop", (401, 403, 403)),
    ("POST", "/api/music/remove", (401, 403, 403)),
    ("GET", "/_dash-layout", (401, 200, 200)),
    ("GET", "/_dash-dependencies", (401, 200, 200)),
    ("GET", "/media/t1", (401, 200, 200)),
    ("GET", "/covers/t1", (401, 200, 200)),
    ("GET", "/api/recommendations/ben", (401, 200, 403)),
    ("GET", "/api/reactions", (401, 200, 200)),
    ("POST", "/api/events", (401, 400, 400)),
    ("POST", "/api/radio", (401, 400, 400)),
    ("POST", "/_dash-update-component", (401, 500, 500)),
    ("POST", "/api/password", (401, 400, 400)),
    ("POST", "/api/delete-account", (401, 400, 400)),
    ("POST", "/api/log-out", (401, 200, 200)),
    ("POST", "/api/log-in", (400, 400, 400)),
    ("POST", "/api/sign-up", (400, 400, 400)),
    ("GET", "/log-in", (200, 200, 200)),
    ("GET", "/sign-up", (200, 200, 200)),
    ("GET", "/healthz", (200, 200, 200)),
    ("GET", "/metrics", (200, 200, 200)),
    ("GET", "/assets/base.css", (200, 200, 200)),
    *(
        ("GET", f"/scripts/{name}.js", (200, 200, 200))
        for name in ("doors", "player", "pages")
    ),
    ("GET", "/_favicon.ico", (200, 200, 200)),
    ("GET", f"{SUITES}/dash/dash-renderer/build/dash_renderer.min.js", (200, 200, 200)),
    ("GET", "/1/validate-token", (400, 400, 400)),
    ("GET", "/1/user/ben/listens", (401, 401, 401)),
    ("GET", "/1/user/ben/listen-count", (401, 401, 401)),
    ("GET", "/1/user/ben/playing-now", (401, 401, 401)),
    ("POST", "/1/submit-listens", (401, 401, 401)),
]


@pytest.mark.parametrize(("method", "path", "wanted"), ROUTES)
def test_every_route_asks_who_is_there(
    site: Site, method: str, path: str, wanted: tuple[int, int, int]
) -> None:
    """Nobody, a listener and an analyst who is not that listener."""
    body = b"{}" if method == "POST" else None
    found = [
        site.ask(path, method, body, JSON if body else {}, who).status
        for who in (None, BEN, MARA)
    ]
    assert tuple(found) == wanted


@pytest.mark.parametrize("who", [BEN, MARA])
@pytest.mark.parametrize(
    "path",
    [
        *("/analytics/tracks", "/analytics/stream", "/analytics/x"),
        "/analytics/listeners",
        *(
            "/analytics/audio",
            "/analytics/quality",
            "/",
            "/analytics",
            "/settings",
            "/search",
            "/track/t1",
            "/track/x",
            "/x",
        ),
        *("/playlists", "/playlist/x", "/shared/x"),
    ],
)
def test_a_page_shows_what_its_reader_may_see(
    site: Site, who: Identity, path: str
) -> None:
    """What Dash asks for when the address changes."""
    asked = {
        "output": "content.children",
        "outputs": {"id": "content", "property": "children"},
        "inputs": [{"id": "location", "property": "pathname", "value": path}],
        "changedPropIds": ["location.pathname"],
        "state": [],
    }
    body = json.dumps(asked).encode()
    answer = site.ask("/_dash-update-component", "POST", body, JSON, who)
    assert answer.status == 200
    assert "data-title" in answer.body.decode()
    is_allowed = who is MARA
    is_analysis = path in ("/analytics", *(f"/analytics/{name}" for name in ANALYSES))
    assert ("data-live-query" in answer.body.decode()) == (is_analysis and is_allowed)
    if path == "/settings":
        assert who.user_id in answer.body.decode()
