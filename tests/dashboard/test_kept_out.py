"""What keeps out however much was said before it, on a real MongoDB."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.kept_out import KeptOut
from segue import indexes, store
from segue.settings import Settings
from segue.store import Document
from tests.dashboard.home_scene import write_index
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo
NOW = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
N_BEFORE = 10_001
SettingsFactory = Callable[..., Settings]


def _long_ago(action: str, scope: str) -> list[Document]:
    return [
        {
            "_id": f"ada|{scope}x{n}",
            "user_id": "ada",
            "track_id": f"x{n}",
            "action": action,
            "scope": "track",
            "at": NOW - timedelta(days=1, seconds=n),
        }
        for n in range(N_BEFORE)
    ]


def test_a_new_word_keeps_out_after_ten_thousand_old_ones(
    settings: SettingsFactory,
) -> None:
    ours = settings()
    index = write_index(ours.home, 10)
    said = {"user_id": "ada", "at": NOW}
    disliked = {"_id": "ada|t0", "track_id": "t0", "action": "disliked", **said}
    block = {"track_id": "t1", "scope": "track", "action": "blocked", **said}
    likes, dislikes = _long_ago("liked", "+"), _long_ago("disliked", "-")
    blocks = [*_long_ago("blocked", "track|"), {"_id": "ada|track|t1", **block}]
    database = store.connect(ours.mongo)
    indexes.prepare(database)
    store.insert_new(database[store.REACTIONS], [*likes, *dislikes, disliked])
    store.insert_new(database[store.BLOCKS], blocks)
    database.client.close()
    unwanted = read(
        ours,
        lambda database: KeptOut(database, ours.taste.heard_s).unwanted("ada", index),
    )
    assert unwanted == {"t0", "t1"}
