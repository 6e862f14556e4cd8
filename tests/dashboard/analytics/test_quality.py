"""Each number of the page of recommendations against SQL over lists and events.

Of 200,000 simulated events.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import plotly.graph_objects as go
import pyarrow as pa
import pytest
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase

from dashboard import ids
from dashboard.analytics import quality
from dashboard.analytics.answers import Answers
from dashboard.analytics.questions import Question, parse
from dashboard.analytics.served import Lists
from dashboard.refusals import RefusedError
from segue import indexes, store
from segue.served import COUNTS, MOST_RANKS, OF_ROWS, Served
from segue.settings import Settings
from segue.sketches import STANDARD_ERROR
from segue.store import Document
from tests.dashboard.analytics.components import cells
from tests.dashboard.analytics.served import Shown, is_end, write_shown, write_tracks
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
N_LISTS, N_EVENTS = 10_000, 200_000
FRESH_SQL = """
    with lists as (
        select user_id, shown_at, shown_at::date as day, unnest(track_ids) as track_id
        from lists
    ), days as (select distinct user_id, day, track_id from lists)
    select count(*), count(*) filter (where not exists (
        select 1 from days d
        where d.user_id = l.user_id and d.track_id = l.track_id
              and d.day < l.day and d.day >= l.day - 7))
    from lists l where shown_at >= ? and shown_at < ?
"""


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
def shown(ours: Settings) -> Shown:
    database = store.connect(ours.mongo)
    indexes.prepare(database)
    for place in (store.SERVED, store.SHOWN_LISTS, store.SHOWN_DAYS):
        database[place].drop_indexes()  # the clock of these tests stands still
    write_tracks(database)
    found = write_shown(database, NOW, N_LISTS, n_events=N_EVENTS)
    database.client.close()
    return found


def asked(query: str) -> Question:
    return parse(query, quality.PRESET, NOW)


def answered(
    ours: Settings, ask: Callable[[Answers], Any], home: Path = Path("nowhere")
) -> Any:
    async def run(database: AsyncDatabase[Document]) -> Any:
        return await ask(Answers(database, home))

    return read(ours, run)


QUERIES = [
    ("range=7d", "true"),
    ("range=24h", "true"),
    ("range=6h", "true"),
    ("range=30d", "true"),
    ("range=1y", "true"),
    ("range=all", "true"),
    ("range=7d&surface=radio", "surface = 'radio'"),
    ("range=7d&model=none", "model = ''"),
    ("range=24h&surface=player&model=m2", "surface = 'player' and model = 'm2'"),
    ("from=2026-04-29T05:30:00Z&to=2026-04-30T17:00:00Z", "true"),
]


def within(lists: Lists, condition: str) -> str:
    start, end = (f"timestamp '{at:%Y-%m-%d %H:%M}'" for at in _ends(lists))
    return f"{condition} and shown_at >= {start} and shown_at < {end}"


def _ends(lists: Lists) -> tuple[datetime, datetime]:
    return lists.time.start, lists.time.end


def check(served: Served, counts: dict[str, Any]) -> None:
    assert {name: served[name] for name in COUNTS} == {n: counts[n] for n in COUNTS}
    assert served.novelty_bits == pytest.approx(counts["novelty_bits"])
    allowed = 3 * STANDARD_ERROR
    assert served.n_tracks == pytest.approx(counts["n_tracks"], rel=allowed)


@pytest.mark.parametrize(("query", "condition"), QUERIES)
def test_sums_are_those_of_sql(
    ours: Settings, shown: Shown, query: str, condition: str
) -> None:
    lists: Lists = answered(
        ours, lambda answers: quality.chosen_lists(answers, asked(query), NOW)
    )
    where = within(lists, condition)
    (counts,) = shown.sql.sums((), where)
    assert counts["n_rows"] > 0
    check(lists.total, counts)
    by_model = lists.by(lambda span: span.model)
    wanted = {each["model"]: each for each in shown.sql.sums(["model"], where)}
    assert by_model.keys() == wanted.keys()
    for model, each in by_model.items():
        check(each, wanted[model])
    for row in shown.sql.sums(["rank"], f"{where} and rank <= {MOST_RANKS}"):
        told = lists.total.by_rank[row["rank"] - 1].tolist()
        assert told == [row[name] for name in OF_ROWS]
    for row in shown.sql.sums(["part"], where):
        told = lists.total.by_part[row["part"]].tolist()
        assert told == [row[name] for name in OF_ROWS]


@pytest.mark.parametrize("query", ["range=7d", "range=24h", "range=6h"])
def test_fresh_is_what_was_in_no_list_on_the_dates_before(
    ours: Settings, shown: Shown, query: str
) -> None:
    lists: Lists = answered(
        ours, lambda answers: quality.chosen_lists(answers, asked(query), NOW)
    )
    told = [
        {
            "user_id": each.user_id,
            "shown_at": each.shown_at.replace(tzinfo=None),
            "track_ids": [row.track_id for row in each.rows],
        }
        for each in shown.lists
    ]
    with duckdb.connect() as duck:
        duck.register("lists", pa.Table.from_pylist(told))
        ends = [at.replace(tzinfo=None) for at in _ends(lists)]
        counts = duck.execute(FRESH_SQL, ends).fetchone()
    assert counts is not None
    assert counts == (lists.total["n_rows"], lists.total["n_fresh"])
    assert 0 < counts[1] < counts[0]


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %"


@pytest.mark.parametrize(("query", "condition"), QUERIES)
def test_the_page_shows_these_numbers(
    ours: Settings, shown: Shown, query: str, condition: str
) -> None:
    async def ask(answers: Answers) -> Any:
        lists = await quality.chosen_lists(answers, asked(query), NOW)
        return lists, await quality.read(answers, asked(query), NOW)

    lists, page = answered(ours, ask)
    where = within(lists, condition)
    (n,) = shown.sql.sums((), where)
    values = {
        tile.children[0].children: tile.children[1].children
        for tile in page[ids.QUALITY_TILES]["children"]
    }
    has_judged = n["n_judged"] > 0
    covered = float(values.pop("Coverage").removesuffix(" %")) / 100
    assert covered == pytest.approx(n["n_tracks"] / 150, rel=3 * STANDARD_ERROR)
    assert values == {
        "CTR": percent(n["n_started"], n["n_rows"]),
        "Hit rate": percent(n["n_lists_hit"], n["n_lists"]),
        "Completed": percent(n["n_completed"], n["n_started"]),
        "Skip rate": percent(n["n_skipped"], n["n_started"]),
        "Novelty": f"{n['novelty_bits'] / n['n_judged']:.2f} bits"
        if has_judged
        else "–",  # noqa: RUF001
        "Fresh": percent(n["n_fresh"], n["n_rows"]),
        "Popular": percent(n["n_popular"], n["n_judged"]) if has_judged else "–",  # noqa: RUF001
    }
    funnel = {row[0]: row[1] for row in cells(page[ids.FUNNEL_TABLE]["children"])}
    assert funnel == {
        "Served": f"{n['n_rows']:,}",
        "Played": f"{n['n_started']:,}",
        "Completed": f"{n['n_completed']:,}",
        "Skipped": f"{n['n_skipped']:,}",
        "Left": f"{n['n_left']:,}",
    }
    ranks = {row[0]: row[1:] for row in cells(page[ids.RANKS_TABLE]["children"])}
    by_rank = shown.sql.sums(["rank"], f"{where} and rank <= {MOST_RANKS}")
    assert ranks == {str(each["rank"]): _cells(each) for each in by_rank}
    parts = {row[0]: row[1:] for row in cells(page[ids.PARTS_TABLE]["children"])}
    assert parts.pop("placed by lot") == _cells(
        shown.sql.sums((), f"{where} and explored")[0]
    )
    named = {"none": "not scored"}
    by_part = shown.sql.sums(["part"], where)
    assert parts == {named.get(e["part"], e["part"]): _cells(e) for e in by_part}
    versions = {row[0]: row[1:] for row in cells(page[ids.VERSIONS_TABLE]["children"])}
    for each in shown.sql.sums(["model"], where):
        told = versions.pop(each["model"] or "no model")
        assert told[0] == f"{each['n_lists']:,}"
        assert told[1] == percent(each["n_started"], each["n_rows"])
        assert told[2] == percent(each["n_lists_hit"], each["n_lists"])
        assert told[7] == percent(each["n_fresh"], each["n_rows"])
    assert versions == {}
    for name in (
        *(ids.FUNNEL_FIGURE, ids.SERVED_FIGURE, ids.RANKS_FIGURE, ids.PARTS_FIGURE),
    ):
        go.Figure(page[name]["figure"])  # which checks it


def _cells(n: dict[str, Any]) -> list[str]:
    played = n["n_started"]
    rest = [
        percent(n[name], played) if played else "–"  # noqa: RUF001
        for name in ("n_completed", "n_skipped")
    ]
    return [f"{n['n_rows']:,}", f"{played:,}", percent(played, n["n_rows"]), *rest]


@pytest.mark.parametrize("query", ["range=7d", "range=24h", "range=7d&surface=radio"])
def test_recommended_plays_are_those_of_the_events(
    ours: Settings, shown: Shown, query: str
) -> None:
    async def ask(answers: Answers) -> Any:
        question = asked(query)
        lists = await quality.chosen_lists(answers, question, NOW)
        return lists.time, await quality.listed(answers, question, lists.time)

    time, found = answered(ours, ask)
    ends = [
        {"said_at": e["event_time"].replace(tzinfo=None), "source": e["source"]}
        for e in shown.events
        if is_end(e)
    ]
    with duckdb.connect() as duck:
        duck.register("ends", pa.Table.from_pylist(ends))
        rows = duck.execute(
            "select source->>'$.surface' as surface, count(*), "
            "count(*) filter (where json_type(source, '$.list_id') = 'VARCHAR') "
            "from ends where said_at >= ? and said_at < ? group by all",
            [time.start.replace(tzinfo=None), time.end.replace(tzinfo=None)],
        ).fetchall()
    wanted = {surface: (n, n_listed) for surface, n, n_listed in rows}
    if "surface" in query:
        wanted = {"radio": wanted["radio"]}
    assert found == wanted
    assert sum(n_listed for _, n_listed in found.values()) > 0


@pytest.mark.parametrize("name", list(quality.FILES))
def test_files_say_what_the_page_says(ours: Settings, shown: Shown, name: str) -> None:
    question = asked("range=7d")
    table = answered(ours, lambda a: quality.file(a, question, NOW, name=name))
    lengths = {len(column) for column in table.values()}
    assert len(lengths) == 1
    if name != "listed":
        (n,) = shown.sql.sums((), "true" if name != "ranks" else "rank <= 50")
        assert sum(table["n_rows"]) == n["n_rows"]
        assert sum(table["n_started"]) == n["n_started"]


def test_of_nothing_there_is_a_sentence(ours: Settings, shown: Shown) -> None:
    page = answered(
        ours, lambda a: quality.read(a, asked("range=7d&model=%24gt&surface=%00"), NOW)
    )
    assert page[ids.ANALYSIS_NOTE]["children"].startswith("No list that fits")
    assert cells(page[ids.RANKS_TABLE]["children"]) == []


def test_of_an_empty_database_there_is_a_sentence(
    ours: Settings, mongo_uri: str
) -> None:
    empty = ours.model_copy(
        update={"mongo": ours.mongo.model_copy(update={"database": "nothing"})}
    )
    for query in ("range=7d", "range=1y"):
        page = answered(empty, lambda a, q=query: quality.read(a, asked(q), NOW))  # type: ignore[misc]
        assert page[ids.ANALYSIS_NOTE]["children"].startswith("No list that fits")
    with pytest.raises(RefusedError, match="No list was shown yet"):
        answered(empty, lambda a: quality.read(a, asked("range=all"), NOW))


@pytest.mark.parametrize(
    "damage",
    [
        {"$unset": {"by_rank": 1}},
        {"$set": {"by_part": {"now": [1, 2]}}},
        {"$set": {"tracks": b"no sketch"}},
        {"$set": {"n_rows": "many"}},
        {"$set": {"by_rank.n_rows": [1] * 99}},
        {"$set": {"start": None, "level": "day"}},
    ],
)
def test_a_damaged_document_is_told_and_not_counted(
    ours: Settings, mongo_uri: str, damage: Document
) -> None:
    named = f"t{uuid.uuid4().hex}"
    mongo = ours.mongo.model_copy(update={"database": named})
    database = store.connect(mongo)
    try:
        write_shown(database, NOW, n_lists=10)
        one = database[store.SERVED].find_one({"level": "day"})
        assert one is not None
        database[store.SERVED].update_one({"_id": one["_id"]}, damage)
        lists: Lists = answered(
            ours.model_copy(update={"mongo": mongo}),
            lambda a: quality.chosen_lists(a, asked("range=30d"), NOW),
        )
    finally:
        database.client.drop_database(named)
        database.client.close()
    n_days = len({*lists.by(lambda span: span.start)})
    assert n_days > 0
    assert lists.n_damaged == ("start" not in damage.get("$set", {}))
