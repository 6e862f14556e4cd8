"""What became of lists against SQL over the lists and the events."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pymongo.database import Database

from models.forgetting import ForgetRule, forget_rule
from segue import store
from segue.activity import Level
from segue.clock import rfc3339
from segue.events import Scope
from segue.served import COUNTS, MOST_RANKS, OF_ROWS, Served, served_of
from segue.shown import COUNTED, FRESH_DAYS, ShownList, ShownRow, midnight
from segue.sketches import STANDARD_ERROR
from soaks.served_by_sql import ServedSql
from streaming.activity_due import every_due
from streaming.outcomes import forget_outcomes, list_of, write_outcomes
from streaming.served_spans import ServedSpans
from tests.streaming.served import show, some_events, some_lists, write_plays

pytestmark = pytest.mark.mongo

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
TRACKS = [f"t{number}" for number in range(150)]
N_CATALOGUE = 140
Mongo = Database[store.Document]


class Scene:
    """Lists, plays of them, and a clock that can be set."""

    def __init__(self, database: Mongo, rng: np.random.Generator) -> None:
        self.database, self.now = database, NOW
        self.spans = ServedSpans(database, 0.0, lambda: self.now)
        self.lists = some_lists(rng, 120, NOW, timedelta(days=3), TRACKS)
        self.events = some_events(rng, self.lists, 900)
        days = [midnight(NOW) - timedelta(days=n) for n in range(40)]
        # of the first day of the lists nothing was played before
        self.plays = {
            day: {
                track: int(rng.zipf(1.7) % 500 + 1)
                for track in rng.choice(TRACKS, 90, replace=False).tolist()
            }
            for day in days[:3]
        }
        there: list[store.Document] = [
            {"_id": f"t{n}", "missing": n >= N_CATALOGUE} for n in range(len(TRACKS))
        ]
        store.upsert(database, store.TRACKS, there)
        write_plays(database, self.plays)
        show(database, *self.lists)

    def tell(self, events: Sequence[dict[str, Any]]) -> None:
        write_outcomes(self.database, events, 0.0, lambda: self.now)

    def forget(self, user_id: str, rule: ForgetRule) -> None:
        forget_outcomes(self.database, user_id, [rule], 0.0, lambda: self.now)

    def count(self) -> None:
        for level in (Level.HOUR, Level.DAY, Level.MONTH):
            for due in every_due(self.database, level, store.SERVED_DUE):
                self.spans.write_due(due)
        assert self.database[store.SERVED_DUE].find_one() is None

    def documents(self) -> list[store.Document]:
        found = self.database[store.SERVED].find({}, {"updated_at": 0}).sort("_id")
        return found.to_list()

    def assert_right(self, events: Sequence[dict[str, Any]] | None = None) -> None:
        sql = ServedSql(
            self.database[store.SHOWN_LISTS].find(),
            self.events if events is None else events,
            [(d, t) for d, n in self.plays.items() for t in n for _ in range(n[t])],
            N_CATALOGUE,
        )
        for level in (Level.HOUR, Level.DAY, Level.MONTH):
            _check(self.documents(), level, sql)


def _check(documents: list[store.Document], level: Level, sql: ServedSql) -> None:
    span = f"date_trunc('{level}', shown_at) as start"
    by = [span, "surface", "model"]
    told = {
        (each["start"], each["surface"], each["model"]): served_of(each)
        for each in documents
        if each["level"] == level
    }
    wanted = {
        (each["start"].replace(tzinfo=UTC), each["surface"], each["model"]): each
        for each in sql.sums(by)
    }
    assert told.keys() == wanted.keys()
    for key, counts in wanted.items():
        _check_sums(told[key], counts)
    for column, name in (("rank", "rank"), ("part", "part")):
        rows = sql.sums([*by, column], f"rank <= {MOST_RANKS} or '{name}' = 'part'")
        for row in rows:
            key = (row["start"].replace(tzinfo=UTC), row["surface"], row["model"])
            served = told[key]
            found = (
                served.by_rank[row["rank"] - 1]
                if name == "rank"
                else served.by_part[row["part"]]
            )
            assert found.tolist() == [row[each] for each in OF_ROWS]
    for row in sql.sums(by, "explored"):
        key = (row["start"].replace(tzinfo=UTC), row["surface"], row["model"])
        assert told[key].by_lot.tolist() == [row[each] for each in OF_ROWS]


def _check_sums(served: Served, counts: dict[str, Any]) -> None:
    assert dict(served.counts) == {name: counts[name] for name in COUNTS}
    assert served.novelty_bits == pytest.approx(counts["novelty_bits"])
    allowed = 3 * STANDARD_ERROR
    assert served.n_tracks == pytest.approx(counts["n_tracks"], rel=allowed)
    total = sum(served.by_part.values())
    assert total.tolist() == [counts[name] for name in OF_ROWS]  # type: ignore[union-attr]


@pytest.fixture
def scene(database: Mongo, rng: np.random.Generator) -> Scene:
    # without the job that deletes what expires: the clock of these tests stands still
    for place in (store.SERVED, store.SHOWN_LISTS, store.SHOWN_DAYS):
        database[place].drop_indexes()
    return Scene(database, rng)


def test_every_count_is_that_of_sql(scene: Scene) -> None:
    scene.tell(scene.events)
    scene.count()
    scene.assert_right()
    totals = [each for each in scene.documents() if each["level"] == Level.MONTH]
    for name in (*COUNTS, "novelty_bits"):
        assert sum(each[name] for each in totals) > 0, name
    assert sum(each["n_judged"] for each in totals) < sum(e["n_rows"] for e in totals)


def test_batches_that_run_again_change_nothing(scene: Scene) -> None:
    scene.tell(scene.events)
    scene.count()
    before = scene.documents(), scene.database[store.SHOWN_LISTS].find().to_list()
    show(scene.database, *scene.lists)
    scene.tell([*scene.events[::-1], *scene.events[:50]])
    scene.count()
    after = scene.documents(), scene.database[store.SHOWN_LISTS].find().to_list()
    assert [_as_sets(each) for each in after[1]] == [_as_sets(e) for e in before[1]]
    assert after[0] == before[0]


def _as_sets(shown: store.Document) -> store.Document:
    outcomes = {tuple(sorted(each.items())) for each in shown["outcomes"]}
    assert len(outcomes) == len(shown["outcomes"])
    return shown | {"outcomes": outcomes}


def test_what_comes_later_counts_too(scene: Scene, rng: np.random.Generator) -> None:
    scene.tell(scene.events[:300])
    scene.count()
    scene.tell(scene.events[300:])
    more = some_lists(rng, 20, NOW, timedelta(hours=1), TRACKS)
    named = [each._replace(list_id=f"{each.list_id}-later") for each in more]
    show(scene.database, *named)
    scene.count()
    scene.assert_right()


RULES = [
    forget_rule(Scope.LISTEN, NOW, None, "p7", "-", []),
    forget_rule(Scope.SESSION, NOW + timedelta(days=1), None, "-", "s3", []),
    forget_rule(Scope.TRACK, NOW - timedelta(days=1), None, "-", "-", TRACKS[:40]),
    forget_rule(Scope.WINDOW, NOW, NOW - timedelta(hours=40), "-", "-", []),
]


def _who_lose_an_end(scene: Scene, rule: ForgetRule) -> Iterator[str]:
    """Yield listeners with an end, of a row, that no event tells but what is forgotten.

    What is told twice, or that a play began, might be there as before.
    """
    rows = {(u.user_id, u.list_id, r.track_id) for u in scene.lists for r in u.rows}
    told = {
        e["event_id"]: (e["user_id"], list_of(e), e["track_id"], e["action"])
        for e in scene.events
    }
    left = {told[e["event_id"]] for e in scene.events if not _is_under(rule, e)}
    for each in scene.events:
        what = told[each["event_id"]]
        is_lost = _is_under(rule, each) and what not in left
        if is_lost and what[:3] in rows and each["action"] != "started":
            yield each["user_id"]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_forgotten_did_not_become_of_a_list(
    scene: Scene, rule: ForgetRule
) -> None:
    scene.tell(scene.events)
    scene.count()
    who = next(_who_lose_an_end(scene, rule))
    left = [e for e in scene.events if e["user_id"] != who or not _is_under(rule, e)]
    assert len(left) < len(scene.events)
    before = scene.documents()
    scene.forget(who, rule)
    scene.count()
    scene.assert_right(left)
    assert scene.documents() != before


def _is_under(rule: ForgetRule, event: dict[str, Any]) -> bool:
    at = event["event_time"]
    return (
        (rule.field is None or event[rule.field] in rule.values)
        and (rule.since is None or rule.since <= at)
        and (rule.until is None or at <= rule.until)
        and f"{event['user_id']}@" in event["source"]
    )


def test_of_who_wants_everything_forgotten_nothing_is_left(scene: Scene) -> None:
    scene.tell(scene.events)
    scene.count()
    mine = {"user_id": "u1"}
    for place in (store.SHOWN_LISTS, store.SHOWN_DAYS):
        assert scene.database[place].count_documents(mine)
    scene.forget("u1", forget_rule(Scope.EVERYTHING, NOW, None, "-", "-", []))
    scene.count()
    for place in (store.SHOWN_LISTS, store.SHOWN_DAYS):
        assert not scene.database[place].count_documents(mine)
        assert scene.database[place].count_documents({})
    scene.assert_right()
    # of a page that was open still
    later = ShownList("u1", "u1@new", "player", None, [ROW], NOW + timedelta(days=1))
    show(scene.database, later)
    scene.count()
    scene.forget("u1", forget_rule(Scope.EVERYTHING, NOW, None, "-", "-", []))
    scene.count()
    for place in (store.SHOWN_LISTS, store.SHOWN_DAYS):
        assert not scene.database[place].count_documents(mine)
    scene.assert_right()


ROW = ShownRow("t1", 1, "now", explored=False)


def test_what_was_counted_stays_when_its_lists_have_gone(scene: Scene) -> None:
    scene.tell(scene.events[:300])
    scene.count()
    before = scene.documents()
    scene.now = NOW + COUNTED
    scene.database[store.SHOWN_LISTS].delete_many({"user_id": "u2"})
    scene.tell(scene.events)
    show(scene.database, *scene.lists)
    scene.count()
    assert [e for e in scene.documents() if e["level"] == "hour"] == [
        e for e in before if e["level"] == "hour"
    ]
    scene.now = NOW + timedelta(days=91)
    scene.database[store.SERVED].delete_many({"level": "hour"})
    days = [each for each in before if each["level"] == "day"]
    for each in every_due(scene.database, Level.DAY, store.SERVED_DUE):
        scene.spans.write_due(each)
    assert [e for e in scene.documents() if e["level"] == "day"] == days


def shown_on(database: Mongo, day: int, *track_ids: str, by: str = "ada") -> list[bool]:
    at = NOW + timedelta(days=day)
    rows = [ROW._replace(track_id=t, rank=n) for n, t in enumerate(track_ids, 1)]
    list_id = f"{by}@{rfc3339(at)}"
    show(database, ShownList(by, list_id, "player", None, rows, at))
    found = database[store.SHOWN_LISTS].find_one(f"{by}|{list_id}")
    assert found is not None
    return [row["is_fresh"] for row in found["rows"]]


def test_a_row_is_fresh_that_was_in_no_list_of_the_days_before(database: Mongo) -> None:
    assert shown_on(database, 0, "a", "b") == [True, True]
    # of the same date it is as fresh as the first time
    assert shown_on(database, 0, "a", "b") == [True, True]
    assert shown_on(database, 1, "b", "c") == [False, True]
    assert shown_on(database, 1, "a", by="ben") == [True]
    assert shown_on(database, FRESH_DAYS, "a", "c") == [False, False]
    assert shown_on(database, FRESH_DAYS + 1, "a", "b", "d") == [False, False, True]
    assert shown_on(database, 2 * FRESH_DAYS + 2, "a", "b", "d") == [True, True, True]


def test_a_list_that_changes_under_its_name_keeps_its_rows(database: Mongo) -> None:
    first = ShownList("ada", "radio:taste:@1", "radio", "m1", [ROW], NOW)
    more = [ROW._replace(track_id="t2"), ROW._replace(rank=2)]
    later = first._replace(rows=more, model_version="m2", shown_at=NOW + timedelta(1))
    show(database, first, later, later)
    (found,) = database[store.SHOWN_LISTS].find()
    assert [(row["track_id"], row["rank"]) for row in found["rows"]] == [
        ("t1", 1),
        ("t2", 1),
    ]
    assert (found["shown_at"], found["model_version"]) == (NOW, "m1")


def test_what_a_listener_or_a_name_says_is_never_a_command(database: Mongo) -> None:
    odd = ShownRow("$rows", 1, "now", explored=False)
    shown = ShownList("$user", "$$NOW", "$x", "$shown_at", [odd], NOW)
    show(database, shown)
    (found,) = database[store.SHOWN_LISTS].find()
    assert (found["user_id"], found["surface"]) == ("$user", "$x")
    assert found["rows"][0]["track_id"] == "$rows"
    assert database[store.SHOWN_DAYS].find_one()["track_ids"] == ["$rows"]  # type: ignore[index]
    event = some_events(np.random.default_rng(1), [shown], 1)[0]
    source = '{"list_id":"$$NOW","end":"closed"}'
    event |= {"user_id": "$user", "track_id": "$rows", "play_id": "$$ROOT"}
    for action in ("started", "progressed"):
        told = event | {"action": action, "source": source}
        write_outcomes(database, [told], 0.0, lambda: NOW)
    (found,) = database[store.SHOWN_LISTS].find()
    assert [each["action"] for each in found["outcomes"]] == ["started", "left"]
