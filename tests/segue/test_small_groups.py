"""Groups of few people, and what a total tells of them."""

from hypothesis import given
from hypothesis import strategies as st

from segue.small_groups import LEAST, is_few, shown, tells_of_few

SIZES = st.lists(st.integers(0, 40), max_size=12)


@given(SIZES)
def test_a_total_tells_of_no_group_of_few(sizes: list[int]) -> None:
    told = shown(sizes)
    pairs = [*zip(sizes, told, strict=True)]
    assert not any(is_few(size) for size, yes in pairs if yes)
    hidden = [size for size, yes in pairs if not yes]
    assert 0 not in hidden
    if any(is_few(size) for size in sizes):
        # where there are enough people at all
        if sum(sizes) >= LEAST and sum(size > 0 for size in sizes) > 1:
            assert len(hidden) > 1
            assert sum(hidden) >= LEAST
    else:
        assert hidden == []


@given(SIZES.filter(bool), st.data())
def test_no_more_are_hidden_than_must_be(sizes: list[int], data: st.DataObject) -> None:
    told = shown(sizes)
    beside = [
        size
        for size, yes in zip(sizes, told, strict=True)
        if not yes and not is_few(size)
    ]
    few = [size for size in sizes if is_few(size)]
    # without the largest that is hidden beside them the total would tell
    for size in beside:
        rest = [*few, *(other for other in beside if other < size)]
        assert len(rest) == 1 or sum(rest) < LEAST


def test_what_is_hidden_anyhow_counts_as_hidden() -> None:
    assert shown([9, 8, 7], [False, True, False]) == [True, False, False]
    assert shown([9, 8, 0], [False, False, True]) == [True, True, False]
    assert shown([], []) == []


def test_all_others_are_a_group_too() -> None:
    assert [tells_of_few(n, 12) for n in (0, 3, 6, 7, 8, 12)] == [
        *(False, True, False, False, True, False),
    ]
