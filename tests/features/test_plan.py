from hypothesis import given
from hypothesis import strategies as st

from features.plan import (
    BuildSummary,
    FoundFile,
    HashedFile,
    plan_build,
    split_into_tasks,
    with_hashes,
)

contents = st.sampled_from("abcdef")
sizes = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200)


@given(st.lists(contents), st.sets(contents), st.sets(contents))
def test_every_file_is_counted_once_and_no_content_extracted_twice(
    found: list[str], known: set[str], hopeless: set[str]
) -> None:
    files = [HashedFile(f"{n}.ogg", 1, 5, content) for n, content in enumerate(found)]
    plan = plan_build(files, known, hopeless)

    pending = [file.content_sha256 for file in plan.pending]
    assert sorted(pending) == sorted(set(found) - known - hopeless)
    rest = plan.n_known + plan.n_known_failures + plan.n_duplicate
    assert len(pending) + rest == len(files)
    assert plan.n_known == len(set(found) & known)


def test_a_summary_that_loses_a_file_does_not_add_up() -> None:
    counts = {"new": 1, "known": 2, "duplicate": 3, "failed": 4, "known_failures": 5}
    assert BuildSummary(found=15, **counts).adds_up
    assert not BuildSummary(found=16, **counts).adds_up


def test_only_files_that_changed_are_read_again() -> None:
    same, touched = FoundFile("a", 1, 5), FoundFile("b", 1, 6)
    stamps = {("a", 1, 5): "aa", ("b", 1, 5): "bb"}
    hashed, unread = with_hashes([same, touched], stamps)
    assert (hashed, unread) == ([HashedFile("a", 1, 5, "aa")], [touched])


@given(sizes, st.integers(1, 16), st.integers(1, 64))
def test_tasks_hold_every_file_once(
    file_sizes: list[int], n_cores: int, max_files: int
) -> None:
    files = [FoundFile(f"{n}", size, 0) for n, size in enumerate(file_sizes)]
    tasks = split_into_tasks(files, n_cores, max_files, 4)
    assert all(tasks)
    assert sorted(f.path for task in tasks for f in task) == sorted(
        file.path for file in files
    )
    assert max(map(len, tasks)) <= max_files


@given(sizes, st.integers(1, 8))
def test_no_task_can_hold_the_others_up(file_sizes: list[int], n_cores: int) -> None:
    files = [FoundFile(f"{n}", size, 0) for n, size in enumerate(file_sizes)]
    left = sum(file_sizes)
    for task in split_into_tasks(files, n_cores, 1000, 4):
        size = sum(file.size_bytes for file in task)
        # no more than its share of what is left, unless one file alone is
        assert len(task) == 1 or size <= left / n_cores
        left -= size


def test_a_long_file_is_a_task_of_its_own_and_comes_first() -> None:
    files = [FoundFile("short", 10, 0)] * 20 + [FoundFile("long", 10_000, 0)]
    first, *_ = split_into_tasks(files, n_cores=2, max_files=64, n_rounds=4)
    assert [file.path for file in first] == ["long"]
