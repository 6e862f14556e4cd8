from hypothesis import given
from hypothesis import strategies as st

from features.plan import BuildSummary, HashedFile, plan_build

contents = st.sampled_from("abcdef")


@given(st.lists(contents), st.sets(contents), st.sets(contents))
def test_every_file_is_counted_once_and_no_content_extracted_twice(
    found: list[str], known: set[str], hopeless: set[str]
) -> None:
    files = [HashedFile(f"{n}.ogg", content) for n, content in enumerate(found)]
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
