"""The door for scrobblers, by the real client and by what no client sends."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import liblistenbrainz
import pytest
from hypothesis import given
from hypothesis import strategies as st
from liblistenbrainz.errors import ListenBrainzAPIException
from pymongo.database import Database

from dashboard.api.submission import read_submission
from segue import store
from segue.clock import system_clock
from segue.errors import InvalidEventError
from segue.events import Action
from segue.tokens import create_token
from segue.track_names import is_name_id, name_id_of
from tests.conftest import SettingsFactory
from tests.dashboard.site import CollectingSink, Site, served
from tests.factories import START

LONG_AGO = 1_486_449_409
LISTEN: dict[str, Any] = {
    "listened_at": LONG_AGO,
    "track_metadata": {"artist_name": "Ada", "track_name": "Low Tide"},
}


@dataclass
class Door:
    """A served door and a token for the listener ada."""

    site: Site
    token: str

    def client(self) -> liblistenbrainz.ListenBrainz:
        made = liblistenbrainz.ListenBrainz(api_base_url=self.site.url)
        made.set_auth_token(self.token)
        return made

    def post(self, content: Any, token: str | None = None) -> tuple[int, Any]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"authorization": f"Token {token or self.token}"}
        answer = self.site.ask("/1/submit-listens", "POST", body, headers)
        return answer.status, json.loads(answer.body)


@pytest.fixture
def door(settings: SettingsFactory, tmp_path: Any) -> Iterator[Door]:
    ours = settings(dashboard={"rate_limit": 40})
    database: Database[store.Document] = store.connect(ours.mongo)
    database[store.TRACKS].insert_one(
        {"_id": "t1", "name_id": name_id_of("Ada", "Low Tide"), "duration_s": 200.0}
        | {"artist": "Ada", "title": "Low Tide", "album": "Sea"}
    )
    token = create_token(database, "ada", system_clock)
    live, history = CollectingSink(), CollectingSink()
    with served(ours, live, history) as port:
        yield Door(Site(port, live, database, tmp_path, history), token)
    database.client.close()


@pytest.mark.mongo
def test_the_real_client_scrobbles(door: Door) -> None:
    client = door.client()
    now = int(time.time())
    heard = liblistenbrainz.Listen("Low Tide", "Ada", listened_at=now - 60)
    client.submit_single_listen(heard)
    client.submit_single_listen(heard)
    client.submit_playing_now(liblistenbrainz.Listen("Lost", "Ada"))
    old = [
        liblistenbrainz.Listen("Low Tide", "Ada", listened_at=LONG_AGO + n)
        for n in range(3)
    ]
    client.submit_multiple_listens(old)

    first, again, playing = door.site.sink.events
    assert first.event_id == again.event_id
    assert (first.user_id, first.track_id) == ("ada", "t1")
    assert (first.action, first.duration_ms) == (Action.COMPLETED, 200_000)
    assert first.event_time == datetime.fromtimestamp(now - 60, UTC)
    assert playing.action is Action.STARTED
    assert is_name_id(playing.track_id)
    assert len({event.event_id for event in door.site.history.events}) == 3
    shown = client.get_playing_now("ada")
    assert (shown.track_name, shown.artist_name) == ("Lost", "Ada")


@pytest.mark.mongo
def test_the_real_client_reads_its_own_history_and_no_other(door: Door) -> None:
    listens = [
        {"_id": f"ada|p{n}", "user_id": "ada", "track_id": "t1", "played_ms": 0}
        | {"listened_at": START.replace(minute=n), "action": "completed", "weight": 1.0}
        for n in range(5)
    ]
    door.site.database[store.LISTENS].insert_many(listens)
    client = door.client()
    found = client.get_listens("ada", count=2)
    assert [listen.listened_at for listen in found] == [
        int(START.replace(minute=n).timestamp()) for n in (4, 3)
    ]
    assert found[0].track_name == "Low Tide"
    assert client.get_user_listen_count("ada") == 5
    with pytest.raises(ListenBrainzAPIException):
        client.get_listens("bob")


@pytest.mark.mongo
def test_a_wrong_token_opens_nothing(door: Door) -> None:
    status, answer = door.post({"listen_type": "single", "payload": [LISTEN]}, "wrong")
    assert (status, answer["code"]) == (401, 401)
    asked = door.site.ask("/1/validate-token", headers={"authorization": "Token wrong"})
    assert json.loads(asked.body)["valid"] is False
    assert door.site.sink.events == door.site.history.events == []
    assert door.token not in str(list(door.site.database[store.TOKENS].find()))


@pytest.mark.mongo
@pytest.mark.parametrize("token", ["Token wrong", None])
def test_megabytes_of_nobody_are_not_waited_for(door: Door, token: str | None) -> None:
    headers = {"content-type": "application/json", "content-length": "10000000"}
    headers |= {} if token is None else {"authorization": token}
    asking = HTTPConnection("127.0.0.1", door.site.port, timeout=10)
    asking.request("POST", "/1/submit-listens", headers=headers)  # and no body
    answer = asking.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (401, 401)
    asking.close()


@pytest.mark.mongo
def test_what_is_wrong_is_refused_in_their_shape(door: Door) -> None:
    contents: list[Any] = [
        b"no json",
        [],
        {"listen_type": "dance", "payload": [LISTEN]},
        {"listen_type": "single", "payload": [LISTEN, LISTEN]},
        {"listen_type": "single", "payload": [LISTEN | {"listened_at": 5}]},
        {"listen_type": "single", "payload": [LISTEN | {"mood": "blue"}]},
        {"listen_type": "playing_now", "payload": [LISTEN]},
        {"listen_type": "import", "payload": [LISTEN] * 1001},
    ]
    for content in contents:
        status, answer = door.post(content)
        assert (status, answer["code"]) == (400, 400), content
        assert answer["error"]


@pytest.mark.mongo
def test_too_many_questions_have_to_wait(door: Door) -> None:
    path, headers = "/1/user/ada/listens", {"authorization": f"Token {door.token}"}
    answers = [door.site.ask(path, headers=headers) for _ in range(100)]
    assert {answer.status for answer in answers} == {200, 429}
    last = answers[-1].headers
    assert last["x-ratelimit-limit"] == "40"
    assert int(last["x-ratelimit-reset-in"]) >= 1


@pytest.mark.mongo
def test_pages_of_other_sites_cannot_submit(door: Door) -> None:
    body = json.dumps({"listen_type": "single", "payload": [LISTEN]}).encode()
    headers = {"authorization": f"Token {door.token}", "sec-fetch-site": "cross-site"}
    assert door.site.ask("/1/submit-listens", "POST", body, headers).status == 403
    assert door.site.history.events == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from([*LISTEN, "listen_type", "payload", "additional_info"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(values | st.binary(max_size=60))
def test_any_body_is_read_or_refused(content: Any) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    reason: str | None = None
    listens: list[Any] = []
    try:
        _, listens = read_submission(body, START)
    except InvalidEventError as error:
        reason = error.detail
    assert bool(reason) != bool(listens)
