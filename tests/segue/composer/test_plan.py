from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segue.composer.plan import plan_library
from segue.composer.styles import STYLES


@example(seed=1517)  # two styles draw one title
@given(seed=st.integers(0, 10**9))
def test_any_seed_plans_a_whole_library(seed: int) -> None:
    albums = plan_library(seed)
    assert len({album.artist for album in albums}) == 24
    assert len({album.title for album in albums}) == 24
    titles = [title for album in albums for title in album.track_titles]
    assert len(titles) == 96
    assert Counter(a.genre for a in albums) == {style.genre: 2 for style in STYLES}
    for name in [*titles, *(a.artist for a in albums), *(a.title for a in albums)]:
        assert name.isascii()
        assert not set(name) & set('/\\:*?"<>|')


def test_each_format_is_spread_over_styles() -> None:
    albums = plan_library(1)
    assert Counter(album.suffix for album in albums) == {"ogg": 12, "flac": 6, "mp3": 6}
    pairs = {frozenset(a.suffix for a in albums if a.genre == s.genre) for s in STYLES}
    assert all(len(pair) == 2 for pair in pairs)


def test_the_seed_decides() -> None:
    assert plan_library(5) == plan_library(5)
    assert plan_library(5) != plan_library(6)


@pytest.mark.parametrize("number", [0, 1])
def test_each_track_has_random_numbers_of_its_own(number: int) -> None:
    draws = [album.generator(number).random() for album in plan_library(1)]
    assert len(set(draws)) == 24
