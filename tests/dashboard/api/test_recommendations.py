import json

import pytest

from segue import store
from segue.clock import rfc3339
from tests.dashboard.site import Site, list_document

pytestmark = pytest.mark.mongo


def test_a_list_as_json_has_rows_and_times(site: Site) -> None:
    document = list_document("ada", ["t3", "t1"])
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    answer = site.ask("/api/recommendations/ada")
    content = json.loads(answer.body)
    assert [row["track_id"] for row in content["items"]] == ["t3", "t1"]
    assert content["newest_event_at"] == rfc3339(document["newest_event_at"])
    assert not content["is_fallback"]
    assert answer.headers["cache-control"] == "no-store"


def test_who_has_played_nothing_gets_a_marked_fallback(site: Site) -> None:
    content = json.loads(site.ask("/api/recommendations/ada").body)
    assert content["is_fallback"]
    assert len(content["items"]) == 3  # one track of each artist


@pytest.mark.parametrize("name", ["ben", "a%20b", "Ada"])
def test_the_list_of_another_is_not_told(site: Site, name: str) -> None:
    answer = site.ask(f"/api/recommendations/{name}")
    assert (answer.status, json.loads(answer.body)["error"]["reason"]) == (
        403,
        "not_yours",
    )
