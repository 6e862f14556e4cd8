"""A radio against the list of the stream, its dials, and the laws that it obeys."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.days import Familiar, no_past
from models.exclusions import excluded_rows
from models.groups import TrackFacts, create_groups
from models.horizons import Horizon, merge_horizons
from models.learned import Learned
from models.listens import Block, Entry, Listen, words_of
from models.plans import Request
from models.radio import Listener, Station, tune
from models.ranking import Recommendation, rank
from models.taste import no_taste
from segue.events import Action
from segue.settings import TasteSettings
from tests.factories import START, create_index
from tests.models.models import create_learned

INDEX = create_index(n_tracks=60)
ALONE = create_groups(INDEX.track_ids, {})
FACTS = {
    name: TrackFacts(f"a{row % 5}", f"b{row % 9}", f"r{row // 3}")
    for name, row in INDEX.row_of.items()
}
GROUPS = create_groups(INDEX.track_ids, FACTS)
SETTINGS = TasteSettings(heard_s=600)
WHOLE = Station([], familiar=0.0, variety=0.0, n=60)
LEARNED = create_learned(INDEX)


def entry(action: Action, track_id: str, at_s: float, played_ms: int) -> Entry:
    when = START + timedelta(seconds=at_s)
    play = f"p-{track_id}-{at_s}"
    return Entry(play, action, track_id, play, played_ms, 60_000, when)


PLAYS = [
    entry(Action.COMPLETED, "t001", 0, 60_000),
    entry(Action.COMPLETED, "t009", 60, 60_000),
    entry(Action.SKIPPED, "t017", 70, 6_000),
    entry(Action.COMPLETED, "t021", 900, 50_000),
]
PAST = [Familiar("t030", 3.0, START.date() - timedelta(days=2))]


def known(entries: list[Entry]) -> Listener:
    """Return what MongoDB holds of somebody when the stream has seen some events."""
    as_of = entries[-1].event_time
    past = no_past(8)
    horizons = merge_horizons(entries, past, as_of, SETTINGS, INDEX)
    return Listener(
        horizons.tastes,
        as_of,
        words_of(entries).listens,
        heard=[e.track_id for e in entries if (as_of - e.event_time).seconds < 600],
        session=horizons.session[::-1],
    )


def streamed(entries: list[Entry], learned: Learned | None) -> list[Recommendation]:
    """Return the list that the stream makes of them."""
    as_of = entries[-1].event_time
    horizons = merge_horizons(entries, no_past(8), as_of, SETTINGS, INDEX)
    out = excluded_rows(entries, horizons, as_of, SETTINGS.heard_s, INDEX, GROUPS)
    evidence = horizons.evidence
    heard = zip(evidence.track_ids, evidence.weights, strict=True)
    request = Request(horizons, out, frozenset(name for name, w in heard if w > 0))
    plain = SETTINGS.model_copy(update={"explored_share": 0.0})
    return rank([request], INDEX, GROUPS, plain, learned)[0].rows


def ids_of(rows: list[Recommendation]) -> list[str]:
    return [row.track_id for row in rows]


def parts_sum(row: Recommendation) -> float:
    return sum(row.parts.values())


@pytest.mark.parametrize("learned", [None, LEARNED])
def test_the_taste_of_now_gives_the_list_of_the_stream(learned: Learned | None) -> None:
    station = Station([], SETTINGS.familiar, SETTINGS.variety, 20)
    ours = tune(station, known(PLAYS), INDEX, GROUPS, SETTINGS, learned)
    assert ours == streamed(PLAYS, learned)
    assert len(ours) > 10


def test_a_skip_counts_before_the_stream_has_seen_it_as_after() -> None:
    skip = entry(Action.SKIPPED, "t033", 900, 3_000)
    before, after = known(PLAYS), known([*PLAYS, skip])
    told = Listener(
        before.tastes,
        before.as_of,
        before.listens,
        skips=[Listen("t033", -0.9, skip.event_time)],
        heard=[*before.heard, "t033"],
        session=before.session,
    )
    station = Station(["t040"], 0.0, 0.1, 20)
    rows = [
        tune(station, each, INDEX, GROUPS, SETTINGS) for each in (before, told, after)
    ]
    assert ids_of(rows[1]) == ids_of(rows[2])
    for ours, theirs in zip(rows[1], rows[2], strict=True):
        assert ours.parts == pytest.approx(theirs.parts, abs=1e-9)
    assert ids_of(rows[0]) != ids_of(rows[1])


def test_what_is_near_to_a_skip_falls() -> None:
    rows = tune(
        WHOLE._replace(track_ids=["t040"]), known(PLAYS), INDEX, ALONE, SETTINGS
    )
    skipped = rows[2].track_id
    cosines = INDEX.vectors @ INDEX.vectors[INDEX.row_of[skipped]]
    near = [INDEX.track_ids[row] for row in np.argsort(-cosines)[1:6]]
    place = {row.track_id: row.rank for row in rows}
    listener = known(PLAYS)
    told = Listener(
        listener.tastes,
        listener.as_of,
        listener.listens,
        skips=[Listen(skipped, -1.0, START + timedelta(seconds=901))],
        heard=listener.heard,
    )
    after = tune(WHOLE._replace(track_ids=["t040"]), told, INDEX, ALONE, SETTINGS)
    parts = {row.track_id: row for row in after}
    fell = [parts[name].rank - place[name] for name in near if name in parts]
    assert sum(fell) > 0
    assert parts[skipped].rank > place[skipped]
    was = {row.track_id: row.parts["skips"] for row in rows}
    assert all(parts[name].parts["skips"] < was[name] for name in near if name in parts)


def test_a_station_begins_with_its_seeds_and_the_taste_has_the_rest_of_the_say() -> (
    None
):
    listener = known(PLAYS)
    rows = tune(WHOLE._replace(track_ids=["t040"]), listener, INDEX, ALONE, SETTINGS)
    assert "t040" in ids_of(rows[:5])
    mine = INDEX.vectors.astype(np.float64)[INDEX.row_of["t040"]]
    for row in rows:
        cosine = INDEX.vectors[INDEX.row_of[row.track_id]] @ mine
        assert row.parts["seeds"] == pytest.approx(0.6 * cosine, abs=1e-6)
        assert row.seed == "t040"
    others = {
        row.track_id: row for row in tune(WHOLE, listener, INDEX, ALONE, SETTINGS)
    }
    share = 0.4 / (1 - SETTINGS.seed_share)
    for row in rows:
        now = others[row.track_id].parts["now"]
        assert row.parts["now"] == pytest.approx(share * now, abs=1e-9)


def test_without_a_taste_the_seeds_have_all_the_say() -> None:
    new = Listener(dict.fromkeys(Horizon, no_taste(8)), START)
    assert tune(WHOLE, new, INDEX, ALONE, SETTINGS) == []
    rows = tune(WHOLE._replace(track_ids=["t040"]), new, INDEX, ALONE, SETTINGS)
    cosines = INDEX.vectors @ INDEX.vectors[INDEX.row_of["t040"]]
    expected = [INDEX.track_ids[row] for row in np.argsort(-cosines)]
    assert ids_of(rows) == expected
    assert rows[0].score == pytest.approx(1.0, abs=1e-6)


def test_an_artist_has_a_few_seeds_of_its_own_and_of_many_tracks_a_sample() -> None:
    new = Listener(dict.fromkeys(Horizon, no_taste(8)), START)
    names = [name for name, facts in FACTS.items() if facts.artist_id == "a2"]
    rows = tune(WHOLE._replace(track_ids=names), new, INDEX, ALONE, SETTINGS)
    seeds = {row.seed for row in rows}
    assert seeds <= set(names)
    assert 1 < len(seeds) <= SETTINGS.n_seeds
    many = create_index(n_tracks=300)
    groups = create_groups(many.track_ids, {})
    most = SETTINGS.model_copy(update={"n_seeds": 6})
    found = tune(WHOLE._replace(track_ids=many.track_ids), new, many, groups, most)
    assert {row.seed for row in found} <= set(many.track_ids)
    assert len(found) == 60
    assert max(many.row_of[row.seed] for row in found if row.seed is not None) > 64


def test_the_nearest_neighbours_of_a_seed_are_named() -> None:
    new = Listener(dict.fromkeys(Horizon, no_taste(8)), START)
    rows = tune(
        WHOLE._replace(track_ids=["t003"]), new, INDEX, ALONE, SETTINGS, LEARNED
    )
    spoken = [row for row in rows if row.neighbour]
    assert {row.neighbour for row in spoken} == {"t003"}
    assert all(row.parts["neighbours"] > 0 for row in spoken)
    assert {row.follows for row in rows} == {"t003", None}


tracks = st.sampled_from(INDEX.track_ids)
plays = st.lists(
    st.builds(
        entry,
        st.sampled_from([Action.COMPLETED, Action.SKIPPED]),
        tracks,
        st.integers(0, 4_000),
        st.integers(0, 60_000),
    ),
    min_size=1,
    max_size=8,
)
blocks = st.lists(
    st.builds(
        Block, st.sampled_from(["track", "artist", "album"]), tracks, st.booleans()
    ),
    max_size=3,
)


@given(
    st.lists(tracks, max_size=3),
    plays,
    blocks,
    st.lists(tracks, max_size=4),
    st.tuples(st.floats(-1, 1), st.floats(0, 1)),
    st.integers(1, 30),
)
def test_laws_of_a_radio(
    seeds: list[str],
    entries: list[Entry],
    blocked: list[Block],
    disliked: list[str],
    dials: tuple[float, float],
    n: int,
) -> None:
    entries.sort(key=lambda e: e.event_time)
    from_stream = known(entries)
    listener = Listener(
        from_stream.tastes,
        from_stream.as_of,
        from_stream.listens,
        heard=list(dict.fromkeys(from_stream.heard)),
        familiar=PAST,
        disliked=disliked,
        blocks=blocked,
    )
    station = Station(seeds, *dials, n)
    rows = tune(station, listener, INDEX, GROUPS, SETTINGS, LEARNED)
    assert rows == tune(station, listener, INDEX, GROUPS, SETTINGS, LEARNED)
    assert len(rows) <= n
    assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
    is_out = {FACTS[name].recording_id for name in [*disliked, *listener.heard]}
    recordings = [FACTS[row.track_id].recording_id for row in rows]
    assert len(recordings) == len(set(recordings))
    assert not is_out.intersection(recordings)
    last = {(b.scope, _group(b)): b.is_on for b in blocked}
    for row in rows:
        assert parts_sum(row) == pytest.approx(row.score, abs=1e-9)
        assert not any(
            last.get((scope, _group(Block(scope, row.track_id, True))))
            for scope in ("track", "artist", "album")
        )


def _group(block: Block) -> str | None:
    facts = FACTS[block.track_id]
    of = {"artist": facts.artist_id, "album": facts.album_id}
    return of.get(block.scope, facts.recording_id)


@given(st.lists(tracks, min_size=1, max_size=3), st.sets(tracks, max_size=20))
def test_the_more_familiar_the_dial_the_more_familiar_tracks_come(
    seeds: list[str], heard: set[str]
) -> None:
    day = START.date() - timedelta(days=2)
    listener = Listener(
        known(PLAYS).tastes,
        START,
        familiar=[Familiar(name, 1.0, day) for name in sorted(heard)],
    )
    numbers = []
    for dial in (-1.0, -0.5, 0.0, 0.5, 1.0):
        station = Station(seeds, dial, 0.0, 15)
        rows = tune(station, listener, INDEX, ALONE, SETTINGS)
        numbers.append(len(heard.intersection(ids_of(rows))))
        for row in rows:
            expected = 0.2 * dial if row.track_id in heard else 0.0
            assert row.parts["familiar"] == pytest.approx(expected)
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("seed", ["t002", "t019", "t044"])
def test_the_more_variety_the_less_alike_are_the_tracks(seed: str) -> None:
    def likeness(variety: float) -> float:
        station = Station([seed], 0.0, variety, 12)
        rows = tune(station, known(PLAYS), INDEX, ALONE, SETTINGS)
        points = INDEX.vectors[[INDEX.row_of[row.track_id] for row in rows]]
        return float((points @ points.T)[np.triu_indices(len(rows), 1)].mean())

    assert likeness(1.0) < likeness(0.0)
    assert likeness(0.3) <= likeness(0.0)
