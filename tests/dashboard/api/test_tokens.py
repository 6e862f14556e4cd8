"""One's own tokens for scrobblers, over HTTP."""

import json
from typing import Any

import pytest

from dashboard.api.tokens import MOST_TOKENS
from segue import store
from segue.roles import Identity, Role
from tests.dashboard.site import ADA, Answer, Site

pytestmark = pytest.mark.mongo
BEN = Identity("ben", Role.LISTENER)
JSON = {"Content-Type": "application/json"}


def post(site: Site, path: str, who: Identity, **words: Any) -> Answer:
    return site.ask(path, "POST", json.dumps(words).encode(), JSON, who)


def make(site: Site, who: Identity) -> str:
    answer = post(site, "/api/tokens", who)
    assert (answer.status, answer.headers["cache-control"]) == (201, "no-store")
    return str(json.loads(answer.body)["token"])


def listed(site: Site, who: Identity) -> list[str]:
    answer = json.loads(site.ask("/api/tokens", who=who).body)
    return [each["id"] for each in answer["tokens"]]


def is_valid(site: Site, token: str) -> bool:
    named = {"Authorization": f"Token {token}"}
    answer = site.ask("/1/validate-token", headers=named, who=None)
    return bool(json.loads(answer.body)["valid"])


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(site: Site) -> None:
    token = make(site, BEN)
    assert is_valid(site, token)
    (shown,) = listed(site, BEN)
    assert token not in site.ask("/api/tokens", who=BEN).body.decode()
    assert post(site, "/api/tokens/revoke", BEN, id=shown).status == 200
    assert not is_valid(site, token)
    assert listed(site, BEN) == []
    assert post(site, "/api/tokens/revoke", BEN, id=shown).status == 404


def test_nobody_sees_or_revokes_anothers(site: Site) -> None:
    token = make(site, BEN)
    (shown,) = listed(site, BEN)
    assert listed(site, ADA) == []
    assert post(site, "/api/tokens/revoke", ADA, id=shown).status == 404
    assert is_valid(site, token)


@pytest.mark.parametrize("shown", ["", ".", ".*", "0" * 11, "0" * 12, "x" * 500])
def test_what_is_no_id_revokes_nothing(site: Site, shown: str) -> None:
    make(site, BEN)
    assert post(site, "/api/tokens/revoke", BEN, id=shown).status == 404
    assert len(listed(site, BEN)) == 1


def test_one_has_so_many_tokens_at_most(site: Site) -> None:
    old = [
        {"_id": f"{n:064x}", "user_id": "ben", "created_at": None}
        for n in range(MOST_TOKENS)
    ]
    store.upsert(site.database, store.TOKENS, old)
    assert post(site, "/api/tokens", BEN).status == 409
