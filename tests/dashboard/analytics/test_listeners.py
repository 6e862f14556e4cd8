"""The page of listeners against what was written, and who may see what."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from fastapi import FastAPI
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from dashboard.access import remember
from dashboard.analytics import listeners, listeners_files, population, trajectory
from dashboard.analytics.answers import Answers
from dashboard.analytics.heat import WEEKDAYS
from dashboard.analytics.questions import parse
from dashboard.analytics.times import Wish, hours_in
from dashboard.api.analytics import create_router
from dashboard.refusals import RefusedError
from models.plane import plane_of
from segue import store
from segue.roles import Identity, Role
from segue.settings import Settings
from segue.small_groups import LEAST, is_few, shown
from segue.store import Document
from tests.dashboard.analytics.played import library, simulated, write
from tests.dashboard.analytics.together import (
    taste_days,
    write_index,
    write_population,
)
from tests.dashboard.site import ADA, Site, read

pytestmark = pytest.mark.mongo

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
SHELF = library(8)
TRACKS = [*SHELF.artist_of]
MARA = Identity("mara", Role.ANALYST)
BEN = Identity("ben", Role.LISTENER)
Ask = Callable[[Answers], Any]


@pytest.fixture
def ours(settings: Callable[..., Settings]) -> Settings:
    return settings(prepared=True)


@pytest.fixture
def database(ours: Settings) -> Iterator[Database[Document]]:
    found = store.connect(ours.mongo)
    yield found
    found.client.close()


def answered(ours: Settings, ask: Ask) -> Any:
    async def run(database: AsyncDatabase[Document]) -> Any:
        return await ask(Answers(database, ours.home))

    return read(ours, run)


def file_of(ours: Settings, name: str, query: str = "") -> pd.DataFrame:
    made = getattr(listeners_files, name)
    question = parse(query, listeners.PRESET, NOW)
    return pd.DataFrame(answered(ours, lambda a: made(a, question, NOW)))


def shown_by(ours: Settings, query: str = "") -> dict[str, Any]:
    question = parse(query, listeners.PRESET, NOW)
    found = answered(ours, lambda answers: listeners.read(answers, question, NOW))
    return dict(found)


def test_files_have_what_was_counted(
    ours: Settings, database: Database[Document]
) -> None:
    styles: list[Document] = [
        {"_id": key, "name": f"Style {key}"} for key in ("s1", "s2", "s3")
    ]
    store.upsert(database, store.GENRES, styles)
    written = write_population(database, TODAY, ["s1", "s2", "s3"], TRACKS)
    by_kind = {
        kind: [each for each in written if each["kind"] == kind]
        for kind in ("sessions", "cohort", "cluster")
    }
    days = file_of(ours, "sessions").set_index("day")
    assert len(days) == 40
    for each in by_kind["sessions"]:
        row = days.loc[each["day"].date()]
        assert row["n_sessions"] == each["n_sessions"]
        assert row["n_listeners"] == each["n_listeners"]
        assert row["length_ms"] == each["length_ms"]
        assert [*row.filter(like="n_from_")] == each["lengths"]
    weeks = file_of(ours, "retention")
    for each in by_kind["cohort"]:
        rows = weeks[weeks["first_week"] == each["first_week"].date()]
        told = [None if np.isnan(n) else int(n) for n in rows["n_played"]]
        assert told == each["played"]
        assert {*rows["n_listeners"]} == {each["n_listeners"]}
    clusters = file_of(ours, "clusters").set_index("cluster")
    weeks = file_of(ours, "returns")
    for each in by_kind["cluster"]:
        rows = weeks[weeks["cluster"] == each["number"] + 1]
        told = [None if np.isnan(x) else x for x in rows["share_played"]]
        assert told == each["retained"]
        row = clusters.loc[each["number"] + 1]
        assert row["n_skipped"] == each["n_skipped"]
        assert row["styles"] == " ".join(each["genre_ids"])
        names = [f"Style {key}" for key in each["genre_ids"]]
        assert row["style_names"] == ", ".join(names)


def test_a_time_chooses_dates_and_the_weeks_that_it_touches(
    ours: Settings, database: Database[Document]
) -> None:
    write_population(database, TODAY, [], TRACKS)
    query = "from=2026-04-22T12:00:00Z&to=2026-04-27T00:00:00Z"
    days = file_of(ours, "sessions", query)["day"]
    assert [*days] == [date(2026, 4, day) for day in range(22, 27)]
    weeks = file_of(ours, "retention", query)["first_week"]
    assert {*weeks} == {date(2026, 4, 20)}
    assert len(file_of(ours, "sessions", "range=all")) == 40
    assert len(file_of(ours, "sessions", "range=24h")) == 2


def test_the_page_says_what_the_files_say(
    ours: Settings, database: Database[Document]
) -> None:
    written = write_population(database, TODAY, ["s1", "s2", "s3"], TRACKS)
    page = shown_by(ours, "range=7d")
    days = [each for each in written if each["kind"] == "sessions"][:8]
    bars = page["sessions-figure"]["figure"]["data"][0]
    assert bars["y"] == [each["n_sessions"] for each in days[::-1]]
    lengths = page["lengths-figure"]["figure"]["data"][0]["x"]
    assert lengths == [sum(n) for n in zip(*(d["lengths"] for d in days), strict=True)]
    n = sum(each["n_sessions"] for each in days)
    tile = page["session-tiles"]["children"][0].children
    assert [part.children for part in tile] == ["Sessions", f"{n:,}", "on 8 dates"]
    words = page["analysis-time"]["children"]
    assert "from 27 April 2026 to 4 May 2026 UTC" in words
    assert "Counted 4 May 2026, 03:00 UTC." in words
    (cells,) = page["cohorts-figure"]["figure"]["data"]
    assert cells["y"] == ["27 April 2026", "4 May 2026"]
    assert cells["z"] == [[1.0, pytest.approx(11 / 21)], [1.0, None]]
    assert page["analysis-note"]["children"] == ""


def test_of_few_nothing_is_shown_even_where_it_is_stored(
    ours: Settings, database: Database[Document]
) -> None:
    write_population(database, TODAY, [], TRACKS)
    few = {"$set": {"n_listeners": LEAST - 1}}
    database[store.POPULATION].update_many({"n_listeners": {"$exists": True}}, few)
    for name in ("sessions", "retention", "clusters", "returns"):
        assert len(file_of(ours, name)) == 0


@pytest.mark.parametrize("kind", ["sessions", "cohort", "cluster"])
@pytest.mark.parametrize(
    "damage",
    [
        {"$unset": {"lengths": 1, "played": 1, "retained": 1}},
        {"$set": {"n_listeners": "many", "lengths": 3}},
        {"$set": {"day": None, "first_week": None, "center": None}},
    ],
)
def test_what_is_damaged_is_a_sentence(
    ours: Settings, database: Database[Document], kind: str, damage: Document
) -> None:
    write_population(database, TODAY, [], TRACKS)
    database[store.POPULATION].update_one({"kind": kind}, damage)
    with pytest.raises(RefusedError, match="run “segue population” again"):
        shown_by(ours)


def test_of_nothing_there_are_sentences(ours: Settings) -> None:
    page = shown_by(ours, "range=all")
    assert "“segue population”" in page["analysis-note"]["children"]
    assert "No date in this time" in page["sessions-table"]["children"]
    assert "five listeners" in page["cohorts-table"]["children"]
    assert "five listeners" in page["clusters"]["children"].children
    assert "In no hour of this time" in page["heat-words"]["children"]


def heat_by_hand(
    events: pd.DataFrame, zone: str
) -> tuple[list[list[int]], list[list[int]]]:
    local = events.assign(
        local=[at.replace(minute=0).astimezone(ZoneInfo(zone)) for at in events["at"]]
    )
    plays, people = (np.zeros((7, 24), int) for _ in range(2))
    for (day, hour), some in local.groupby(
        [
            local["local"].map(lambda at: at.weekday()),
            local["local"].map(lambda at: at.hour),
        ]
    ):
        plays[day, hour] = (some["action"] != "started").sum()
        people[day, hour] = some["user_id"].nunique()
    return plays.tolist(), people.tolist()


@pytest.mark.parametrize("zone", ["", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"])
def test_the_heat_map_is_that_of_the_events(
    ours: Settings, database: Database[Document], zone: str
) -> None:
    events = pd.concat(
        [
            simulated(NOW, timedelta(days=100), 600, TRACKS, 1),
            simulated(NOW, timedelta(days=20), 600, TRACKS, 2),
        ],
        ignore_index=True,
    )
    write(database, events, SHELF, NOW)
    heat = file_of(ours, "heatmap", f"range=90d&zone={zone}")
    first = (NOW - timedelta(days=90)).replace(minute=0) + timedelta(hours=1)
    plays, people = heat_by_hand(events[events["at"] >= first], zone or "UTC")
    flat = [n for row in people for n in row]
    may_be = shown(flat)
    assert not all(may_be)
    assert sum(may_be) > 80
    told = heat[["n_plays", "n_listeners"]].to_numpy()
    n_all = [n for row in plays for n in row]
    for (n_plays, n_who), n, who, yes in zip(told, n_all, flat, may_be, strict=True):
        if not yes:
            assert np.isnan(n_plays)
            assert np.isnan(n_who)
            continue
        assert (n_plays, n_who) == (n, who)
        assert not is_few(int(n_who))
    assert [*heat["weekday"][::24]] == [*WEEKDAYS]


def test_hours_are_those_that_are_kept() -> None:
    kept = NOW.replace(minute=0) - timedelta(days=90) + timedelta(hours=1)
    for start in (None, NOW - timedelta(days=300)):
        found = hours_in(Wish(start, NOW), NOW)
        assert found is not None
        assert (found.start, found.end) == (kept, NOW.replace(hour=10, minute=0))
    late = Wish(NOW - timedelta(days=300), NOW - timedelta(days=91))
    assert hours_in(late, NOW) is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("zone=Mars/Olympus", "There is no time zone “Mars/Olympus”"),
        ("zone=../../etc/passwd", "There is no time zone"),
        (f"zone={'x' * 200}", "There is no time zone “xxx"),
        ("of=%24where", "There is no such heat map; there are plays and listeners"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(
    ours: Settings, query: str, said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        shown_by(ours, query)


DAYS: dict[date, dict[str, tuple[float, float]]] = {
    date(2026, 4, 1): {"t0": (2.0, 0.0), "t1": (1.0, 0.5)},
    date(2026, 4, 3): {"gone": (9.0, 0.0), "t2": (0.0, 3.0)},
    date(2026, 4, 11): {"t3": (1.0, 0.0), "gone": (5.0, 0.0)},
    date(2026, 5, 3): {"t4": (4.0, 0.0)},
}


def way(ours: Settings, query: str) -> pd.DataFrame:
    question = parse(query, listeners.PRESET, NOW)
    return pd.DataFrame(answered(ours, lambda a: trajectory.file(a, question, NOW)))


def test_a_way_is_that_of_the_days(
    ours: Settings, database: Database[Document]
) -> None:
    index = write_index(ours.home, TRACKS)
    store.upsert(database, store.TASTE_DAYS, taste_days("ada", DAYS))
    other = {date(2026, 4, 2): {"t5": (50.0, 0.0)}}
    store.upsert(database, store.TASTE_DAYS, taste_days("ada.l", other))
    steps = way(ours, "listener=ada")
    assert [*steps["day"]] == [date(2026, 4, 1), date(2026, 4, 11), date(2026, 5, 3)]
    assert [*steps["track_id"]] == ["t0", "t3", "t4"]
    plane = plane_of(index.vectors)
    vectors = {track: index.vectors[index.row_of[track]] for track in TRACKS}
    for step in steps.itertuples():
        told = [
            (weight * 0.5 ** ((step.day - day).days / 10), vectors[track])
            for day, some in DAYS.items()
            for track, (weight, _) in some.items()
            if day <= step.day and track in vectors
        ]
        mean = sum(w * v for w, v in told) / sum(w for w, _ in told)
        assert np.allclose([step.x, step.y], plane.place(mean[None])[0], atol=1e-6)
    assert [*way(ours, "listener=ada&range=7d")["day"]] == [date(2026, 5, 3)]


def test_a_way_is_drawn_among_tracks_and_clusters(
    ours: Settings, database: Database[Document]
) -> None:
    index = write_index(ours.home, TRACKS)
    write_population(database, TODAY, [], TRACKS)
    odd = {"$set": {"center": [1.0]}}
    database[store.POPULATION].update_one({"_id": "cluster|1"}, odd)
    store.upsert(database, store.TASTE_DAYS, taste_days("ada", DAYS))
    question = parse("listener=ada", listeners.PRESET, NOW)
    found = answered(ours, lambda a: trajectory.read(a, question, NOW))
    tracks, clusters, path, newest = found["trajectory-figure"]["figure"]["data"]
    assert len(tracks["x"]) == len(TRACKS)
    assert clusters["text"] == ["Cluster 1"]  # the other is of another space
    center = plane_of(index.vectors).place(np.array([[1.0, 0.0, 0.0]]))[0]
    assert (clusters["x"][0], clusters["y"][0]) == pytest.approx(tuple(center))
    assert len(path["x"]) == 3
    assert newest["x"] == path["x"][-1:]
    assert "3 dates" in found["trajectory-note"]["children"]
    assert found["trajectory"] == {"hidden": False}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Say whose taste"),
        ("listener=nobody", "Of nobody no date with a taste is known"),
        ("listener=%24ne%5B%5D", "No listener has the name “\\$ne"),
        ("listener=ada&range=1h", "Of ada no date"),
        ("listener=broken", "The taste of broken is damaged"),
    ],
)
def test_a_way_that_is_not_there_is_a_sentence(
    ours: Settings, database: Database[Document], query: str, said: str
) -> None:
    write_index(ours.home, TRACKS)
    store.upsert(
        database, store.TASTE_DAYS, taste_days("ada", {min(DAYS): {"t0": (1, 0)}})
    )
    broken = taste_days("broken", DAYS)[0] | {"weights": ["x", "y"]}
    store.upsert(database, store.TASTE_DAYS, [broken])
    with pytest.raises(RefusedError, match=said):
        way(ours, query)
    question = parse(query, listeners.PRESET, NOW)
    found = answered(ours, lambda a: trajectory.read(a, question, NOW))
    assert found["trajectory"] == {"hidden": True}
    assert "children" in found["trajectory-note"]


def test_without_an_index_it_says_so(ours: Settings) -> None:
    with pytest.raises(RefusedError, match="No music was analysed yet"):
        way(ours, "listener=ada")


def test_one_listener_is_for_admins_alone(site: Site) -> None:
    tracks = [each["_id"] for each in site.database[store.TRACKS].find()]
    write_index(site.home, tracks)
    days = taste_days("carl", {datetime.now(UTC).date(): {"t0": (1.0, 0.0)}})
    store.upsert(site.database, store.TASTE_DAYS, days)
    for form in ("csv", "parquet"):
        path = f"/api/analytics/trajectory.{form}?listener=carl"
        assert site.ask(path).status == 200
        for who, status in ((MARA, 403), (BEN, 403), (None, 401)):
            answer = site.ask(path, who=who)
            assert answer.status == status
            assert b"t0" not in answer.body
    body = site.ask("/api/analytics/trajectory.csv?listener=carl").body.decode()
    (row,) = csv.DictReader(io.StringIO(body))
    assert (row["track_id"], row["n_listens"]) == ("t0", "1")


@pytest.mark.parametrize(("who", "status"), [(ADA, 404), (MARA, 403), (BEN, 403)])
def test_the_route_asks_again_behind_the_gate(
    ours: Settings, who: Identity, status: int
) -> None:
    async def ask(database: AsyncDatabase[Document]) -> list[int]:
        remember(who)
        server, told = FastAPI(), list[int]()
        server.include_router(create_router(Answers(database, ours.home), lambda: NOW))

        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            told.append(message.get("status", 0))

        scope = {"type": "http", "method": "GET", "headers": [], "query_string": b""}
        await server(scope | {"path": "/api/analytics/trajectory.csv"}, receive, send)
        return told

    assert read(ours, ask)[0] == status


@pytest.mark.parametrize(("who", "is_there"), [(None, True), (MARA, False)])
def test_the_page_of_analysts_does_not_ask_for_it(
    site: Site, who: Identity | None, is_there: bool
) -> None:
    asked = {
        "output": "content.children",
        "outputs": {"id": "content", "property": "children"},
        "inputs": [{"id": "location", "property": "pathname", "value": listeners.PATH}],
        "changedPropIds": ["location.pathname"],
        "state": [],
    }
    headers = {"Content-Type": "application/json"}
    body = json.dumps(asked).encode()
    more = {} if who is None else {"who": who}
    answer = site.ask("/_dash-update-component", "POST", body, headers, **more)
    assert answer.status == 200
    text = answer.body.decode()
    assert ("analytics-trajectory" in text) == is_there
    assert ("trajectory-figure" in text) == is_there
    assert ("shown to admins alone" in text) != is_there


def test_all_is_read_from_few_documents(
    ours: Settings, database: Database[Document]
) -> None:
    write_population(database, TODAY, [], TRACKS)

    async def ask(answers: Answers) -> Any:
        wish = Wish(None, NOW)
        return await population.read_cohorts(answers.database, wish, 2)

    newest = answered(ours, ask)
    assert [each.first_week for each in newest] == [date(2026, 4, 27), TODAY]
