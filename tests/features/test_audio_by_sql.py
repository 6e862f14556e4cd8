"""Every number of a report on the audio space, as SQL gets it from the table."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from features.audio_report import Material, make_report
from features.index import build_index, read_fitted
from features.library_files import read_failing
from features.spec import FeatureSpec
from features.table import feature_rows, read_tracks, table_folder
from segue.audio_reports import HUB_CLASSES, AudioReport, drift_between
from segue.settings import Settings
from tests.features.catalogues import START, album_rows, failure_row, write_table

SQL = duckdb.DuckDBPyConnection
_DIMS = """
    create table dims as
    select track_id, block, unnest(range(len(v))) as dim, unnest(v) as x
    from (unpivot (select track_id, {blocks} from read_parquet('{tracks}'))
          on {blocks} into name block value v)
"""


@pytest.fixture
def sql() -> Iterator[SQL]:
    with duckdb.connect() as connection:
        yield connection


def _made(home: Settings, music: Path, sql: SQL, quieter: float) -> AudioReport:
    """Make a catalogue and its report; the tables of `sql` are of its files."""
    rows = album_rows(12, 10)
    for number, row in enumerate(rows):
        row["onset"][1] = 0.0 if number % 3 else 1.0
        row["tempo"] = [120.0]
        row["contrast"][2] = 3 - 2 * row["chroma"][4]
        row["loudness"][0] -= quieter
        row["duration_s"] = 100.0
        row["extracted_at"] = START + timedelta(days=number // 80)
    unread = music / "unread.ogg"
    unread.parent.mkdir(exist_ok=True)
    unread.touch()
    failures = [
        failure_row(str(unread), None, stage=stage, failed_at=START + after)
        for stage, after in (("read", timedelta(1)), ("decode", timedelta(0)))
    ]
    write_table(home, rows, failures)
    build_index(home, START)
    table = table_folder(home.home, FeatureSpec())
    tracks = read_tracks(table)
    fitted = read_fitted(home)
    failed, copies = read_failing(table, [music])
    material = Material(
        spec="s",
        blocks=feature_rows(tracks).blocks,
        extracted_at=tracks["extracted_at"].to_numpy(),
        recordings=[f"{int(t, 16) // 2}" for t in fitted.index.track_ids],
        copies=copies,
        failures=failed,
    )
    report = make_report(fitted.index, fitted.space, 0, material, START)
    blocks = ", ".join(each.name for each in report.blocks)
    sql.execute("drop table if exists dims; drop table if exists points")
    sql.execute(_DIMS.format(blocks=blocks, tracks=f"{table}/tracks/*.parquet"))
    sql.execute(
        "create table points (id integer, own integer, scale double, v double[])"
    )
    told = zip(fitted.index.scales.tolist(), fitted.index.vectors.tolist(), strict=True)
    sql.executemany(
        "insert into points values (?, ?, ?, ?)",
        [(row, row // 2, scale, v) for row, (scale, v) in enumerate(told)],
    )
    sql.execute(
        f"create or replace table failures as "
        f"from read_parquet('{table}/failures/*.parquet')"
    )
    return report


def test_the_numbers_of_a_report_are_those_of_sql(tmp_path: Path, sql: SQL) -> None:
    report = _made(Settings(home=tmp_path / "home"), tmp_path / "music", sql, 0.0)
    for block in report.blocks:
        wanted = sql.execute(
            "select avg(x::double), stddev_pop(x::double), avg((x = 0)::int) from dims "
            "where block = ? group by dim order by dim",
            [block.name],
        ).fetchall()
        found = zip(block.means, block.deviations, block.zero_shares, strict=True)
        np.testing.assert_allclose(list(found), wanted, rtol=1e-6, atol=1e-12)
        dead = sql.execute(
            "select dim from dims where block = ? group by dim "
            "having min(x) = max(x) order by dim",
            [block.name],
        ).fetchall()
        assert block.flat == [dim for (dim,) in dead]
    assert [block.name for block in report.blocks if block.flat] == ["tempo"]
    pairs = sql.execute(
        "select a.block, a.dim, b.block, b.dim, corr(a.x, b.x) r "
        "from dims a join dims b using (track_id) "
        "where (a.block, a.dim) < (b.block, b.dim) and "
        "a.block in ('chroma', 'contrast') and b.block in ('chroma', 'contrast') "
        "group by all having abs(r) > 0.999"
    ).fetchall()
    ((*names, r),) = pairs
    (twin,) = report.twins.first
    assert {twin.name, twin.earlier} == {
        f"{names[0]}[{names[1]}]",
        f"{names[2]}[{names[3]}]",
    }
    assert twin.r == pytest.approx(r, abs=1e-5)
    failing = sql.execute(
        "select stage, count(*) from (from failures qualify row_number() over "
        "(partition by coalesce(content_sha256, path) order by failed_at desc) = 1) "
        "group by stage"
    ).fetchall()
    assert [(each.stage, each.n_files) for each in report.failures.reasons] == failing
    groups = sql.execute(
        "select count(*), sum(n) from (select count(*) n from points group by own) "
        "where n > 1"
    ).fetchone()
    assert (report.recordings.n_groups, report.recordings.n_members) == groups


@pytest.mark.parametrize(("way", "scale"), [(0, "1.0"), (1, "n.scale")])
def test_hubs_are_those_of_sql(tmp_path: Path, sql: SQL, way: int, scale: str) -> None:
    report = _made(Settings(home=tmp_path / "home"), tmp_path / "music", sql, 0.0)
    sql.execute(
        f"create table lists as select n.id from points q join points n "
        f"on q.own <> n.own qualify row_number() over (partition by q.id order by "
        f"(1 - list_dot_product(q.v, n.v)) / {scale}) <= 10"
    )
    sql.execute(
        "create table listed as select count(lists.id) n from points "
        "left join lists using (id) group by points.id"
    )
    found = report.hubs.ways[way]
    skew, orphans, top = sql.execute(
        "select avg(power(n - m, 3)) / power(avg(power(n - m, 2)), 1.5), "
        "avg((n = 0)::int), max(n) / sum(n) from listed, (select avg(n) m from listed)"
    ).fetchall()[0]
    # the top hundredth of 120 tracks is one
    told = (found.skew, found.orphan_share, found.top_share)
    assert told == pytest.approx((skew, orphans, top))
    edges = [*HUB_CLASSES, 10**9]
    for n_tracks, low, high in zip(found.counts, edges[:-1], edges[1:], strict=True):
        (wanted,) = sql.execute(
            "select count(*) from listed where n >= ? and n < ?", [low, high]
        ).fetchall()[0]
        assert n_tracks == wanted


def test_drift_is_that_of_sql(tmp_path: Path, sql: SQL) -> None:
    before = _made(Settings(home=tmp_path / "1"), tmp_path / "music", sql, 0.0)
    moments = (
        "select block, dim, avg(x::double) m, var_pop(x::double) v from dims "
        "group by all"
    )
    sql.execute(f"create table earlier as {moments}")
    after = _made(Settings(home=tmp_path / "2"), tmp_path / "music", sql, 0.4)
    wanted = sql.execute(
        f"select block, avg(d), max(d) from (select block, abs(a.m - b.m) / "
        f"greatest(sqrt((a.v + b.v) / 2), 1e-30) d from earlier a "
        f"join ({moments}) b using (block, dim)) group by block order by 3 desc limit 1"
    ).fetchall()[0]
    first, *others = drift_between(before, after)
    assert first.name == wanted[0] == "loudness"
    assert (first.mean, first.most) == pytest.approx(wanted[1:])
    assert [each.most for each in others] == pytest.approx([0.0] * 9)
