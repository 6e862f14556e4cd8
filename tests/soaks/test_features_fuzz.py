"""A small run of the campaign, without Spark; its checks, on tables that are wrong."""

import copy
from pathlib import Path

import numpy as np
import pytest

from features.table import FAILURES, TRACKS, TableWriter, hold_table
from soaks.features_fuzz import check_table, contents_of, count_failures
from soaks.mutants import MUTATIONS, Seed, make_seeds, mutate, write_mutants
from tests.features.extracting import extract, hashed
from tests.features.tables import failure_row, track_row

N_FILES = 150


@pytest.fixture(scope="module")
def seeds() -> list[Seed]:
    return make_seeds()


@pytest.mark.slow
def test_mutated_files_give_tracks_or_failures(
    tmp_path: Path, seeds: list[Seed], rng: np.random.Generator
) -> None:
    paths = list(write_mutants(tmp_path / "music", seeds, N_FILES, rng))
    files = {file.content_sha256: file for file in map(hashed, paths)}
    rows = extract(files.values(), tmp_path / "table")
    contents = contents_of(paths)
    assert check_table(tmp_path / "table", contents) == []
    n_failures = sum(count_failures(tmp_path / "table").values())
    assert 0 < n_failures < len(rows) == len(contents)


def test_the_same_number_gives_the_same_files(
    tmp_path: Path, seeds: list[Seed]
) -> None:
    first, second, other = (
        [
            (path.suffix, path.read_bytes())
            for path in write_mutants(
                tmp_path / name, seeds, 20, np.random.default_rng(number)
            )
        ]
        for name, number in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == second
    assert first != other


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.__name__)
def test_every_mutation_takes_any_bytes(
    rng: np.random.Generator, mutation: object
) -> None:
    for size in (0, 1, 2, 7, 600, 9000):
        content = rng.bytes(size)
        changed = [mutation(bytearray(content), content, rng) for _ in range(30)]  # type: ignore[operator]
        assert size == 0 or any(each != content for each in changed)
        assert mutate(content, content, rng) is not None


def test_a_table_that_breaks_a_promise_is_found_out(tmp_path: Path) -> None:
    good, failed = track_row("good"), failure_row("failed", retry=False)
    contents = {good["content_sha256"]: "good.ogg", "failed": "failed.ogg"}

    def wrong(name: str, tracks: list[object], failures: list[object]) -> list[str]:
        table = tmp_path / name
        with hold_table(table, "b"):
            writer = TableWriter(table, "b", "p")
            writer.write(TRACKS, tracks)  # type: ignore[arg-type]
            writer.write(FAILURES, failures)  # type: ignore[arg-type]
        return check_table(table, contents)

    assert wrong("fine", [good], [failed]) == []
    assert wrong("none", [good], []) == ["failed.ogg: 0 tracks and 0 failures"]
    assert wrong("twice", [good, good], [failed]) == [
        "good.ogg: 2 tracks and 0 failures"
    ]
    both = failure_row(good["content_sha256"], retry=False)
    assert wrong("both", [good], [failed, both]) == [
        "good.ogg: 1 tracks and 1 failures"
    ]
    assert "unknown: of no file" in wrong(
        "more", [good], [failed, failure_row("unknown", retry=False)]
    )
    odd = copy.deepcopy(good)
    odd["mfcc"][3] = float("nan")
    assert "not finite" in wrong("odd", [odd], [failed])[0]
    assert "without a reason" in wrong("mute", [good], [{**failed, "message": ""}])[0]
