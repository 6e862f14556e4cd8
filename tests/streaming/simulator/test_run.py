"""Whole runs: the same to the byte, the truth beside them, and told by the plays."""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pymongo.database import Database

from segue import store
from segue.clock import rfc3339
from segue.errors import SimulationError
from segue.events import parse_event
from segue.track_index import create_track_index
from streaming.simulator.faults import FaultShares
from streaming.simulator.lists import ListsOfDatabase, no_lists
from streaming.simulator.recovery import best_split, read_events, recover
from streaming.simulator.run import (
    Outlets,
    Pace,
    Plan,
    file_sink,
    read_catalogue,
    simulate,
)
from streaming.simulator.truth import read_truth
from tests.conftest import SettingsFactory
from tests.factories import START, create_index

INDEX = create_index(n_tracks=400, n_dims=16)
FAULTS = FaultShares(duplicates=0.05, late=0.05, shuffled=0.1, broken=0.02)


def run(folder: Path, plan: Plan) -> Counter[str]:
    counts: Counter[str] = Counter()
    catalogue = read_catalogue(INDEX, None)
    with file_sink(folder / "events") as sink, (folder / "truth").open("wb") as truth:
        outlets = Outlets(sink, truth, counts, lambda n_events, at_s: None)
        simulate(plan, catalogue, no_lists, 600.0, outlets)
    return counts


def plan(seed: int = 1, **more: object) -> Plan:
    told = {"n_listeners": 20, "events_per_s": 10.0, "start": START, "speed": None}
    return Plan(seed, **told | {"n_events": 4000} | more)  # type: ignore[arg-type]


def test_a_run_is_the_same_to_the_byte(tmp_path: Path) -> None:
    def written(seed: int) -> tuple[bytes, bytes]:
        run(tmp_path, plan(seed, shares=FAULTS))
        return (tmp_path / "events").read_bytes(), (tmp_path / "truth").read_bytes()

    assert written(1) == written(1)
    assert written(1) != written(2)


def test_counts_are_what_was_written(tmp_path: Path) -> None:
    counts = run(tmp_path, plan(shares=FAULTS))
    lines = (tmp_path / "events").read_bytes().splitlines()
    assert counts["sent"] == len(lines) == 4000 + counts["duplicates"]
    assert counts["events"] == 4000
    assert counts["duplicates"] == pytest.approx(200, rel=0.3)
    truth = (tmp_path / "truth").read_bytes().splitlines()
    kinds = Counter(line.split(b'"')[3] for line in truth)
    n_faults = sum(n for name, n in counts.items() if name in FaultShares._fields)
    assert kinds[b"fault"] == n_faults > 0
    assert (kinds[b"run"], kinds[b"listener"], kinds[b"end"]) == (1, 20, 1)


def test_a_run_ends_after_its_seconds_with_nothing_held_back(tmp_path: Path) -> None:
    shares = FaultShares(shuffled=1.0)
    run(tmp_path, plan(seconds=100.0, n_events=None, shares=shares))
    events = list(read_events(tmp_path / "events"))
    span_s = max((e.event_time - START).total_seconds() for e in events)
    assert 95 < span_s <= 100
    again = tmp_path / "again"
    again.mkdir()
    run(again, plan(seconds=100.0, n_events=None))
    assert {e.event_id for e in read_events(again / "events")} == {
        e.event_id for e in events
    }


def test_plays_tell_the_truth(tmp_path: Path) -> None:
    run(tmp_path, plan(mean_change_s=600.0, n_events=30_000))
    told, crowd = read_truth(tmp_path / "truth", INDEX)
    events = list(read_events(tmp_path / "events"))
    rng = np.random.default_rng(0)
    found = recover(events, told.start, crowd, INDEX, rng)
    assert found.heard_out > found.chance + 0.2
    assert found.heard_out > found.skipped + 0.1
    assert found.share_nearer == 1.0
    assert found.n_jumps > 20
    assert found.n_found > 0.6 * found.n_jumps > 3 * found.by_luck
    assert found.is_recovered

    # what has nothing to do with the truth does not tell it
    other = [
        e._replace(track_id=INDEX.track_ids[int(rng.integers(400))]) for e in events
    ]
    assert not recover(other, told.start, crowd, INDEX, rng).is_recovered


def test_the_best_split_is_where_the_mean_changes() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(40, 5)) * 0.3
    points[27:] += 1.0
    assert best_split(points.astype(np.float32)) == 27


def test_the_truth_of_another_index_is_refused(tmp_path: Path) -> None:
    run(tmp_path, plan(n_events=10))
    other = create_track_index("other", INDEX.track_ids, INDEX.vectors)
    with pytest.raises(SimulationError, match="simulate again"):
        read_truth(tmp_path / "truth", other)
    (tmp_path / "truth").write_text("{}\n")
    with pytest.raises(SimulationError, match="does not begin"):
        read_truth(tmp_path / "truth", INDEX)
    (tmp_path / "truth").write_text("no json\n")
    with pytest.raises(SimulationError, match="not JSON lines"):
        read_truth(tmp_path / "truth", INDEX)


def test_an_interrupted_run_leaves_the_truth_whole() -> None:
    class Stopping(io.BytesIO):
        def send_raw(self, key: bytes, value: bytes) -> None:
            if self.tell() > 5000:
                raise KeyboardInterrupt
            self.write(value + b"\n")

    truth, counts = io.BytesIO(), Counter[str]()
    sink = Stopping()
    outlets = Outlets(sink, truth, counts, lambda n_events, at_s: None)
    with pytest.raises(KeyboardInterrupt):
        simulate(plan(), read_catalogue(INDEX, None), no_lists, 600.0, outlets)
    assert truth.getvalue().splitlines()[-1].startswith(b'{"kind":"end"')
    assert counts["sent"] == len(sink.getvalue().splitlines())
    assert all(parse_event(line) for line in sink.getvalue().splitlines())


def test_pace_holds_time_to_the_clock() -> None:
    pace = Pace(speed=100.0)
    until_s = pace.wait_until(20.0)  # a fifth of a second
    assert until_s == pytest.approx(25.0)
    assert pace.wait_until(0.0) < until_s
    assert Pace(None).wait_until(1e9) == np.inf


@pytest.fixture
def database(settings: SettingsFactory) -> Iterator[Database[store.Document]]:
    database = store.connect(settings().mongo)
    yield database
    database.client.close()


@pytest.mark.mongo
def test_lists_are_those_that_are_served(database: Database[store.Document]) -> None:
    items = [{"track_id": t, "rank": n} for n, t in enumerate(["t003", "?", "t001"], 1)]
    document = {"_id": "ada", "items": items, "updated_at": START}
    database[store.RECOMMENDATIONS].insert_one(document)
    heads = ListsOfDatabase(database, INDEX)(["ada", "bob"])
    assert heads == {"ada": (f"ada@{rfc3339(START)}", [3, 1])}


@pytest.mark.mongo
def test_lengths_and_artists_are_those_of_the_catalogue(
    database: Database[store.Document],
) -> None:
    tracks: list[store.Document] = [
        {"_id": "t000", "duration_s": 61.5, "artist_id": "a"},
        {"_id": "t001", "artist_id": "a"},
        {"_id": "gone", "artist_id": "a"},
    ]
    database[store.TRACKS].insert_many(tracks)
    catalogue = read_catalogue(INDEX, database)
    assert catalogue.durations_ms[:2].tolist() == [61_500, 180_000]
    assert catalogue.artists[0] == catalogue.artists[1] != catalogue.artists[2]
