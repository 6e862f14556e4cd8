"""The taste map over HTTP: its numbers are those of SQL, and nobody is told of."""

import base64
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from dashboard.analytics.map_movement import STEP
from segue import store
from segue.map_layers import write_umap
from segue.names import genre_id_of
from segue.roles import Identity, Role
from tests.dashboard.analytics.mapped import (
    STYLES,
    by_sql,
    document,
    write_days,
    write_map,
)
from tests.dashboard.analytics.played import Library, simulated, write
from tests.dashboard.site import Answer, Site

pytestmark = pytest.mark.mongo
MARA = Identity("mara", Role.ANALYST)
API = "/api/analytics/map"
JSON = {"Content-Type": "application/json"}


def _told(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body))


def _refused(answer: Answer) -> tuple[int, str]:
    error = json.loads(answer.body)["error"]
    assert " " in error["detail"]
    return answer.status, error["reason"]


def _figure(site: Site, query: str = "") -> dict[str, Any]:
    return _told(site.ask(f"{API}/figure{query}", who=MARA))


def _points(told: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the points of each colour, by its name."""
    return {
        trace["name"]: np.frombuffer(
            base64.b64decode(trace["customdata"]["bdata"]), "<i4"
        )
        for trace in told["figure"]["data"]
    }


def _choose(site: Site, version: str, points: list[int], n: int) -> Answer:
    bits = np.zeros(n, np.uint8)
    bits[points] = 1
    packed = base64.b64encode(np.packbits(bits, bitorder="little").tobytes())
    body = {"version": version, "layer": "pca", "points": packed.decode()}
    return site.ask(f"{API}/tracks", "POST", json.dumps(body).encode(), JSON, MARA)


def _played(site: Site, n: int) -> pd.DataFrame:
    tracks = [document(number) for number in range(n)]
    shelf = Library(
        {each["_id"]: each["artist_id"] for each in tracks},
        {each["_id"]: each["genre_ids"] for each in tracks},
    )
    now = datetime.now(UTC)
    events = simulated(now, timedelta(days=3), 900, [*shelf.artist_of, "gone"])
    write(site.database, events, shelf, now)
    return events


def test_plays_are_what_sql_counts(site: Site) -> None:
    write_map(site.database, site.home, 60)
    events = _played(site, 60)
    body = site.ask("/api/analytics/map.parquet?range=7d", who=MARA).body
    found = pd.read_parquet(io.BytesIO(body)).set_index("track_id")["n_plays"]
    wanted = by_sql(
        "select track_id, count(*) as n from events where action != 'started' "
        "and track_id != 'gone' group by track_id",
        events=events,
    )
    assert len(found) == 60
    assert found[found > 0].to_dict() == dict(wanted.to_numpy())
    classes = by_sql(
        "select case when n < 4 then '1 to 3 plays' when n < 16 then '4 to 15 plays' "
        "when n < 64 then '16 to 63 plays' when n < 256 then '64 to 255 plays' "
        "else '256 to 1,023 plays' end as name, count(*) as n from wanted group by 1",
        wanted=wanted,
    )
    points = _points(_figure(site, "?range=7d&colour=plays"))
    sizes = {name: len(rows) for name, rows in points.items()}
    assert sizes.pop("not played") == 60 - len(wanted)
    assert sizes == dict(classes.to_numpy())


def test_styles_are_those_of_the_catalogue(site: Site) -> None:
    write_map(site.database, site.home, 90)
    tracks = pd.DataFrame(list(site.database[store.TRACKS].find()))
    tracks["style"] = tracks["genres"].map(lambda each: each[0])
    wanted = by_sql(
        "select style, count(*) from tracks group by style", tracks=tracks[["style"]]
    )
    told = _figure(site)
    assert {n: len(p) for n, p in _points(told).items()} == dict(wanted.to_numpy())
    assert told["n"] == 90
    dub = site.ask(
        f"/api/analytics/map.csv?style={genre_id_of('dub')}&colour=artist", who=MARA
    )
    rows = pd.read_csv(io.BytesIO(dub.body))
    assert rows["track_id"].tolist() == [f"m{n:05}" for n in range(1, 90, 4)]
    assert set(rows["style"]) == {"dub"}


def test_movement_has_no_names(site: Site) -> None:
    index = write_map(site.database, site.home, 120)
    days = write_days(site.database, index, datetime.now(UTC), (40, 30, 20), 20)
    answer = site.ask(f"{API}/movement", who=MARA)
    told = _told(answer)
    assert b"secret" not in answer.body
    dates = sorted({each["day"].date().isoformat() for each in days})
    assert told["dates"] == [each for each in dates if each in told["dates"]] != []
    for moving in told["moving"]:
        assert moving["name"].startswith("Group ")
        assert "n_listeners" not in moving
        assert min(n for n in moving["n_heard"] if n) >= 5
        assert all(place is not None for n, place in _steps(moving) if n)
        assert all(at % STEP == 0 for _, place in _steps(moving) for at in place or ())
        assert len(moving["places"]) == len(told["dates"])
    short = _told(site.ask(f"{API}/movement?range=7d", who=MARA))
    week_ago = (datetime.now(UTC) - timedelta(days=7)).date().isoformat()
    assert short["dates"] == [each for each in told["dates"] if each >= week_ago]
    groups = {each["name"] for each in told["moving"]}
    file = site.ask("/api/analytics/movement.csv", who=MARA)
    rows = pd.read_csv(io.BytesIO(file.body))
    assert set(rows["who"]) == groups
    assert rows["n_heard"].min() >= 5
    assert not (rows[["across", "up"]] % STEP).to_numpy().any()
    _check_rest(days, rows)


def _steps(moving: dict[str, Any]) -> list[tuple[int, list[float] | None]]:
    return list(zip(moving["n_heard"], moving["places"], strict=True))


def _check_rest(days: list[dict[str, Any]], rows: pd.DataFrame) -> None:
    """Check that who is not shown on a date is nobody, or not few."""
    shown = rows.groupby("date")["n_heard"].sum().to_dict()
    everybody = Counter(each["day"].date().isoformat() for each in days)
    assert any(everybody[at] > n for at, n in shown.items())
    for at, n in shown.items():
        assert everybody[at] - n == 0 or everybody[at] - n >= 5


def test_single_listeners_are_shown_to_admins_alone(site: Site) -> None:
    index = write_map(site.database, site.home, 120)
    write_days(site.database, index, datetime.now(UTC), (4, 3), 20)
    of = f"{API}/movement?of=listeners"
    assert _refused(site.ask(of, who=MARA)) == (403, "not_for_you")
    file = "/api/analytics/movement.csv?of=listeners"
    assert _refused(site.ask(file, who=MARA)) == (403, "not_for_you")
    answer = site.ask(of)
    assert len(_told(answer)["moving"]) == 7
    assert b"secret" not in answer.body
    assert b"secret" not in site.ask(file).body
    # of seven, in groups of four and three, an analyst sees nothing
    silent = _told(site.ask(f"{API}/movement", who=MARA))
    assert (silent["dates"], silent["moving"]) == ([], [])
    assert silent["words"].startswith("In this time there is no date on which 5 ")


def test_chosen_points_are_listed_from_their_middle_on(site: Site) -> None:
    write_map(site.database, site.home, 700)
    version = _figure(site)["version"]
    some = _told(_choose(site, version, [3, 11], 700))
    text = json.dumps(some["chosen"])
    assert "2 tracks are chosen." in text
    assert "Make a playlist of these 2 tracks" in text
    assert "Piece 11" in text
    every = json.dumps(_told(_choose(site, version, list(range(700)), 700)))
    assert "700 tracks are chosen; listed are the 500 nearest to the middle" in every
    assert every.count("data-map-track") == 500
    assert "No track of the map fits" in json.dumps(
        _told(_choose(site, version, [], 700))
    )


def test_what_is_not_on_the_map_is_refused(site: Site) -> None:
    write_map(site.database, site.home, 20)
    version = _figure(site)["version"]
    assert _refused(_choose(site, "old", [1], 20)) == (409, "map_changed")
    assert _refused(_choose(site, version, [1], 200)) == (400, "wrong_points")
    assert _refused(_choose(site, version, [21], 24)) == (400, "wrong_points")
    for body in ({}, {"version": version, "layer": "pca", "points": "é"}):
        told = json.dumps(body).encode()
        answer = site.ask(f"{API}/tracks", "POST", told, JSON, MARA)
        assert answer.status == 400
    for point in ("20", "-1", "x", "", "9" * 400, "²"):
        query = urlencode({"version": version, "point": point})
        answer = site.ask(f"{API}/track?{query}", who=MARA)
        assert _refused(answer) == (404, "no_such_point")
    there = _told(site.ask(f"{API}/track?version={version}&point=2", who=MARA))
    assert (there["name"], there["note"]) == ("Piece 2", "Artist 2")
    assert there["style"] == STYLES[2]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("colour=x", (400, "wrong_colouring")),
        ("layer=x", (400, "wrong_layer")),
        ("layer=umap", (404, "no_layer")),
        ("box=1,2", (400, "wrong_box")),
        ("range=x", (400, "wrong_range")),
        (f"style={'x' * 500}", (400, "too_long")),
    ],
)
def test_a_question_that_cannot_be_answered(
    site: Site, query: str, wanted: tuple[int, str]
) -> None:
    write_map(site.database, site.home, 20)
    assert _refused(site.ask(f"{API}/figure?{query}", who=MARA)) == wanted


def test_the_map_follows_index_and_library(site: Site) -> None:
    assert _refused(site.ask(f"{API}/figure", who=MARA)) == (404, "no_map")
    write_map(site.database, site.home, 30)
    first = _figure(site)
    gone = {"_id": {"$in": ["m00000", "m00001"]}}
    site.database[store.TRACKS].update_many(gone, {"$set": {"missing": True}})
    store.touch_catalogue(site.database)
    second = _figure(site)
    assert (second["n"], second["version"] == first["version"]) == (28, False)
    write_map(site.database, site.home, 50, "v2")
    assert _figure(site)["n"] == 50
    places = np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32)
    assert len(_figure(site, "?layer=pca")["figure"]["data"]) == 4
    write_umap(site.home / "index", "v2", places)
    assert _figure(site, "?layer=umap")["layer"] == "umap"
    site.database[store.TRACKS].update_many({}, {"$set": {"missing": True}})
    store.touch_catalogue(site.database)
    assert _refused(site.ask(f"{API}/figure", who=MARA)) == (404, "no_map")
