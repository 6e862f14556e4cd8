"""Each number that is answered against the events that the spans were made of."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import pytest
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics import answers, chosen_track, now, spans, tracks
from dashboard.analytics.answers import Answers, Choice
from dashboard.analytics.questions import Question, parse
from dashboard.analytics.sums import Totals
from dashboard.analytics.times import TimeRange
from dashboard.refusals import RefusedError
from segue import indexes, store
from segue.activity import Kind, Level
from segue.settings import Settings
from segue.sketches import STANDARD_ERROR
from segue.store import Document
from tests.dashboard.analytics.played import library, simulated, write
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
SHELF = library(12)
TRACKS = [*SHELF.artist_of, "gone"]
ENDS = ("completed", "skipped", "progressed")


@pytest.fixture(scope="module")
def ours(mongo_uri: str) -> Iterator[Settings]:
    """One database for all tests: they only read."""
    named = f"t{uuid.uuid4().hex}"
    told = {"mongo": {"uri": SecretStr(mongo_uri), "database": named}}
    settings = Settings.model_validate(told)
    yield settings
    database = store.connect(settings.mongo)
    database.client.drop_database(named)
    database.client.close()


@pytest.fixture(scope="module")
def events(ours: Settings) -> pd.DataFrame:
    """Plays of 80 days, most of them of late, and their spans in the database."""
    told = pd.concat(
        [
            simulated(NOW, timedelta(days=80), 500, TRACKS, 1),
            simulated(NOW, timedelta(hours=30), 500, TRACKS, 2),
            simulated(NOW, timedelta(minutes=90), 300, TRACKS, 3),
        ],
        ignore_index=True,
    )
    database = store.connect(ours.mongo)
    indexes.prepare(database)
    write(database, told, SHELF, NOW)
    store.upsert(database, store.TRACKS, map(_track, SHELF.artist_of))
    store.upsert(database, store.ARTISTS, [{"_id": "a0", "name": "Ann"}])
    database.client.close()
    return told


def _track(key: str) -> Document:
    return {
        "_id": key,
        "title": f"Title {key}",
        "artist": f"By {SHELF.artist_of[key]}",
        "artist_id": SHELF.artist_of[key],
        "genre_ids": list(SHELF.styles_of[key]),
        "duration_s": 200.0,
        "missing": key == "t3",
    }


def _asked(query: str) -> Question:
    return parse(query, "24h", NOW)


def answered(ours: Settings, ask: Callable[[Answers], Any]) -> Any:
    async def run(database: AsyncDatabase[Document]) -> Any:
        return await ask(Answers(database, ours.home))

    return read(ours, run)


def within(events: pd.DataFrame, time: TimeRange) -> pd.DataFrame:
    return events[(events["at"] >= time.start) & (events["at"] < time.end)]


def check_totals(told: Totals, events: pd.DataFrame) -> None:
    n = events["action"].value_counts()
    ended = events[events["action"].isin(ENDS)]
    assert told.n_plays == len(ended)
    assert told.n_started == n.get("started", 0)
    assert told.n_completed == n.get("completed", 0)
    assert told.n_skipped == n.get("skipped", 0)
    assert told.n_left == n.get("progressed", 0)
    assert told.heard_ms == ended["played_ms"].sum()
    if len(ended):
        assert told.skip_share == pytest.approx((ended["action"] == "skipped").mean())
        done = (ended["action"] == "completed").mean()
        assert told.completed_share == pytest.approx(done)
        assert told.heard_h == pytest.approx(ended["played_ms"].sum() / 3_600_000)
    n_true = events["user_id"].nunique()
    assert told.n_listeners == pytest.approx(n_true, rel=3 * STANDARD_ERROR, abs=0.5)


@pytest.mark.parametrize("name", ["1h", "6h", "24h", "7d", "30d", "90d", "1y", "all"])
def test_plays_of_each_range_are_those_of_its_events(
    ours: Settings, events: pd.DataFrame, name: str
) -> None:
    async def ask(answers: Answers) -> Any:
        time = await answers.time_of(_asked(f"range={name}"), NOW)
        return await answers.plays(time, Choice(Kind.ALL, ""))

    plays = answered(ours, ask)
    chosen = within(events, plays.time)
    assert len(chosen)
    check_totals(plays.totals, chosen)
    by_span = chosen[chosen["action"].isin(ENDS)].groupby(
        chosen["at"].map(plays.time.level.start_of)
    )
    counts = by_span.size()
    wanted = [counts.get(start, 0) for start in plays.time.starts]
    assert plays.by_span["n_plays"] == wanted


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("surface=home", lambda e: e[e["surface"] == "home"]),
        ("surface=none", lambda e: e[e["surface"] == "none"]),
        (
            "style=s9",
            lambda e: e[
                e["track_id"].map(lambda t: "s9" in SHELF.styles_of.get(t, ()))
            ],
        ),
        ("artist=a1", lambda e: e[e["track_id"].map(SHELF.artist_of.get) == "a1"]),
    ],
)
def test_filters_choose_what_they_say(
    ours: Settings,
    events: pd.DataFrame,
    query: str,
    chosen: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    async def ask(answers: Answers) -> Any:
        question = _asked(f"range=7d&{query}")
        time = await answers.time_of(question, NOW)
        return await answers.plays(time, await answers.choice_of(question))

    plays = answered(ours, ask)
    some = chosen(within(events, plays.time))
    assert 0 < len(some) < len(within(events, plays.time))
    check_totals(plays.totals, some)


@pytest.mark.parametrize("of", list(tracks.TABLES))
@pytest.mark.parametrize(
    "sort", ["plays", "listeners", "skips", "skip-rate", "completed", "heard"]
)
def test_a_ranking_is_that_of_the_events(
    ours: Settings, events: pd.DataFrame, of: str, sort: str
) -> None:
    question = _asked(f"range=30d&of={of}&sort={sort}")

    async def ask(answers: Answers) -> Any:
        time = await answers.time_of(question, NOW)
        return time, await tracks.ranked(answers, question, time, 100)

    time, ranking = answered(ours, ask)
    by_key = _by_key(within(events, time), of)
    played = {key for key, some in by_key.items() if some["action"].isin(ENDS).any()}
    assert {row.named.key for row in ranking.rows} == played
    assert ranking.n_keys == len(played)
    measured = []
    for row in ranking.rows:
        some = by_key[row.named.key]
        check_totals(row.totals, some)
        assert sum(row.trend) == row.totals.n_plays
        measured.append(_measure(some, sort))
    assert measured == sorted(measured, reverse=True)


def test_listeners_are_compared_of_the_most_played(
    ours: Settings, events: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_COMPARED", 6)
    question = _asked("range=30d&sort=listeners")

    async def ask(answers: Answers) -> Any:
        time = await answers.time_of(question, NOW)
        return time, await tracks.ranked(answers, question, time, 5)

    time, ranking = answered(ours, ask)
    by_key = _by_key(within(events, time), "tracks")
    plays = {key: _measure(some, "plays") for key, some in by_key.items()}
    most = sorted(plays, key=lambda key: plays[key], reverse=True)[:6]
    wanted = sorted(by_key[key]["user_id"].nunique() for key in most)[-5:]
    assert [row.totals.n_listeners for row in ranking.rows] == wanted[::-1]
    # another one has more listeners than the last of these
    every = sorted(some["user_id"].nunique() for some in by_key.values())
    assert wanted != every[-5:]
    assert ranking.n_keys == len(by_key)


def _by_key(events: pd.DataFrame, of: str) -> dict[str, pd.DataFrame]:
    keyed = {
        "tracks": events.assign(key=events["track_id"]),
        "surfaces": events.assign(key=events["surface"]),
        "artists": events.assign(key=events["track_id"].map(SHELF.artist_of)),
        "styles": events.assign(key=events["track_id"].map(SHELF.styles_of)),
    }[of]
    rows = keyed.explode("key").dropna(subset=["key"])
    return {str(key): some for key, some in rows.groupby("key")}


def _measure(events: pd.DataFrame, sort: str) -> tuple[bool, float]:
    ended = events[events["action"].isin(ENDS)]
    skips, done = ((ended["action"] == a).sum() for a in ("skipped", "completed"))
    n = len(ended)
    is_share = sort in ("skip-rate", "completed")
    value = {
        "plays": n,
        "listeners": events["user_id"].nunique(),
        "skips": skips,
        "skip-rate": skips / n,
        "completed": done / n,
        "heard": ended["played_ms"].sum(),
    }[sort]
    return (not is_share or n >= 10, float(value))


def test_tracks_of_a_style_and_an_artist_are_both(
    ours: Settings, events: pd.DataFrame
) -> None:
    question = _asked("range=30d&style=s9&artist=a1")

    async def ask(answers: Answers) -> Any:
        return await tracks.file(answers, question, NOW)

    both = {t for t in SHELF.artist_of if SHELF.artist_of[t] == "a1"} & {
        t for t, styles in SHELF.styles_of.items() if "s9" in styles
    }
    assert set(answered(ours, ask)["key"]) <= both


def test_names_say_what_is_not_there(ours: Settings, events: pd.DataFrame) -> None:
    async def ask(answers: Answers) -> Any:
        file = await tracks.file(answers, _asked("range=30d"), NOW)
        by = await tracks.file(answers, _asked("range=30d&of=artists"), NOW)
        return file, by

    file, by = answered(ours, ask)
    named = pd.DataFrame(file).set_index("key")[["name", "note"]]
    assert [*named.loc["gone"]] == ["Unknown track gone", "not in the library"]
    assert [*named.loc["t3"]] == ["Title t3", "By a1 · no longer in the library"]
    assert [*named.loc["t0"]] == ["Title t0", "By a0"]
    names = pd.DataFrame(by).set_index("key")["name"]
    assert names["a0"] == "Ann"
    assert names["a1"] == "Unknown artist a1"


@pytest.mark.parametrize("key", ["t0", "t1", "gone"])
def test_positions_are_those_of_the_events(
    ours: Settings, events: pd.DataFrame, key: str
) -> None:
    question = _asked(f"range=7d&track={key}")

    async def ask(answers: Answers) -> Any:
        time = await answers.time_of(question, NOW)
        return time, await chosen_track.file(answers, question, NOW)

    time, file = answered(ours, ask)
    some = within(events, time)
    ended = some[(some["track_id"] == key) & some["action"].isin(ENDS)]
    assert len(ended)
    for place in range(20):
        still = (ended["share"] >= place / 20).mean()
        assert file["still_listening"][place] == pytest.approx(still)
        there = ended[(ended["share"] * 20).astype(int).clip(upper=19) == place]
        assert file["n_ended"][place] == len(there)
        assert file["n_skipped"][place] == (there["action"] == "skipped").sum()


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize("key", ["t99", "", "%00"])
def test_of_a_track_that_was_not_played_there_are_no_positions(
    ours: Settings, key: str
) -> None:
    question = _asked(f"range=7d&track={key}")
    with pytest.raises(RefusedError, match=r"track t99 ended|track is missing"):
        answered(ours, lambda a: chosen_track.file(a, question, NOW))


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("query", "n_tiles"),
    [
        ("range=1h", 5),
        ("from=2026-05-03", 5),
        ("from=2026-05-03&to=2026-05-03T22:00", 2),
    ],
)
def test_what_is_played_of_late_is_told_beside_a_time_that_still_runs(
    ours: Settings, query: str, n_tiles: int
) -> None:
    page = answered(ours, lambda a: now.read(a, _asked(query), NOW))
    assert len(page["now-tiles"]["children"]) == n_tiles


@pytest.mark.parametrize("name", ["1h", "7d"])
def test_what_rises_is_played_more_than_before(
    ours: Settings, events: pd.DataFrame, name: str
) -> None:
    question = _asked(f"range={name}")

    async def ask(answers: Answers) -> Any:
        time = await answers.time_of(question, NOW)
        # the second answer is made of sums that the first one kept
        await now.rises(answers, question, time, NOW)
        return time, await now.rises(answers, question, time, NOW)

    time, rises = answered(ours, ask)
    ended = events[events["action"].isin(ENDS)]
    played = within(ended, time)
    counts = played["track_id"].value_counts()
    before = within(ended, time.before)["track_id"].value_counts()
    starts = time.starts
    places = played["at"].map(lambda at: starts.index(time.level.start_of(at)))
    ages = (len(starts) - places - 0.5) / len(starts)
    recent = (0.5 ** (4 * ages)).groupby(played["track_id"]).sum()
    # of the newest span only the part that has passed is compared
    end = time.level.end_of(starts[-1])
    part = min(1.0, (NOW - starts[-1]) / (end - starts[-1]))
    fade = sum(
        0.5 ** (4 * (n + 0.5) / len(starts)) * (1.0 if n else part)
        for n in range(len(starts))
    )
    usual = {key: fade / len(starts) * before.get(key, 0) for key in counts.index}
    scores = {key: (recent[key] - u) / (u + 1) ** 0.5 for key, u in usual.items()}
    wanted = [s for s in sorted(scores.values(), reverse=True) if s > 0][: now.N_TOP]
    assert wanted
    found = [scores[rise.named.key] for rise in rises]
    assert found == pytest.approx(wanted, abs=1e-4)
    for rise in rises:
        assert rise.n_plays == counts[rise.named.key]
        assert rise.n_before == before.get(rise.named.key, 0)


def test_the_last_minutes_are_five(ours: Settings, events: pd.DataFrame) -> None:
    time = now.last_minutes(NOW)
    assert (time.start, time.end) == (
        NOW.replace(minute=6, second=0),
        NOW.replace(minute=11, second=0),
    )

    async def ask(answers: Answers) -> Any:
        return await answers.plays(time, Choice(Kind.ALL, ""))

    some = events[events["at"] >= time.start]
    assert len(some)
    check_totals(answered(ours, ask).totals, some)


def _n_plays(read: Sequence[spans.Span]) -> int:
    return sum(int(span.cells.n_plays.sum()) for span in read)


@pytest.mark.parametrize("kept_bytes", [0, 10_000_000])
def test_a_span_that_was_written_anew_is_read_anew(
    settings: Callable[..., Settings], kept_bytes: int
) -> None:
    ours = settings()
    time = TimeRange(Level.DAY, Level.DAY.start_of(NOW), NOW)
    first = simulated(NOW, timedelta(minutes=20), 60, TRACKS, 8)
    more = pd.concat(
        [first, simulated(NOW, timedelta(minutes=20), 50, TRACKS, 9)], ignore_index=True
    )

    def fill(events: pd.DataFrame) -> None:
        database = store.connect(ours.mongo)
        write(database, events, SHELF, NOW)
        database.client.close()

    async def ask(database: AsyncDatabase[Document]) -> Any:
        found = spans.Spans(database, kept_bytes)
        fill(first)
        before = await found.read(time, Kind.TRACK, spans.LISTENERS)
        again = await found.read(time, Kind.TRACK, spans.ENDS)
        for _ in range(2):
            assert _n_plays(await found.read(time, Kind.TRACK, ())) == _n_plays(again)
        fill(more)
        assert _n_plays(await found.read(time, Kind.TRACK, ())) > _n_plays(again)
        after = await found.read(time, Kind.TRACK, (*spans.LISTENERS, *spans.ENDS))
        return before, again, after

    before, again, after = map(_n_plays, read(ours, ask))
    assert before == again == first["action"].isin(ENDS).sum()
    assert after == more["action"].isin(ENDS).sum()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("surface=home&style=s1", "by surface and by style, not by both"),
        ("of=nonsense", "There is no such ranking; there are tracks, "),
        ("sort=nonsense", "There is no such order; there are plays, "),
        ("of=artists&style=s1", "Only tracks can be chosen by style or artist"),
    ],
)
def test_what_cannot_be_counted_is_a_sentence(
    ours: Settings, query: str, said: str
) -> None:
    question = _asked(f"range=1h&{query}")

    async def ask(answers: Answers) -> Any:
        await answers.choice_of(question)
        await tracks.file(answers, question, NOW)

    with pytest.raises(RefusedError, match=said):
        answered(ours, ask)


def test_of_an_empty_database_all_is_a_sentence(
    settings: Callable[..., Settings],
) -> None:
    async def ask(answers: Answers) -> Any:
        await now.plays_file(answers, _asked("range=all"), NOW)

    with pytest.raises(RefusedError, match="Nothing was played yet"):
        answered(settings(), ask)
