import string
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.search import Named, SearchIndex, fold

NAMES = [
    Named("artist", "a1", "Sigur Rós"),
    Named("artist", "a2", "Portishead"),
    Named("artist", "a3", "U2"),
    Named("album", "b1", "Ágætis byrjun", "Sigur Rós"),
    Named("album", "b2", "Dummy", "Portishead"),
    Named("track", "t1", "Svefn-g-englar", "Sigur Rós Ágætis byrjun"),
    Named("track", "t2", "Roads", "Portishead Dummy"),
    Named("track", "t3", "Road to Nowhere", "Talking Heads Little Creatures"),
    Named("track", "t4", "Glory Box", "Portishead Dummy"),
    Named("track", "t5", "東京", "少年"),
]


@pytest.fixture(scope="module")
def index() -> SearchIndex:
    return SearchIndex(NAMES)


def found(index: SearchIndex, text: str) -> list[str]:
    return [each.key for each in index.find(text)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("sigur ros", "a1"),
        ("SIGUR RÓS", "a1"),
        ("portishaed", "a2"),  # two letters changed places
        ("portished", "a2"),
        ("porti", "a2"),
        ("portsihe", "a2"),  # a typo in what is half typed
        ("u2", "a3"),
        ("to nowhere", "t3"),
        ("agaetis", "b1"),
        ("roads", "t2"),
        ("road", "t3"),
        ("glory portishead", "t4"),
        ("svefn g englar", "t1"),
        ("東京", "t5"),
    ],
)
def test_what_is_meant_comes_first(index: SearchIndex, text: str, first: str) -> None:
    assert found(index, text)[0] == first


@pytest.mark.parametrize("text", ["", "   ", "-", "xyzzy", "glory sigur", "zz"])
def test_what_is_not_there_is_not_found(index: SearchIndex, text: str) -> None:
    assert found(index, text) == []


def test_short_words_have_to_be_right(index: SearchIndex) -> None:
    assert "a3" not in found(index, "u3")


def test_each_word_has_to_fit(index: SearchIndex) -> None:
    assert found(index, "dummy roads") == ["t2"]


@given(st.text(max_size=100))
def test_any_text_gives_an_answer(text: str) -> None:
    index = SearchIndex(NAMES)
    assert set(index.find(text)) <= set(NAMES)
    assert fold(fold(text)) == fold(text)


@given(st.sampled_from(NAMES))
def test_a_whole_name_finds_its_own_first(named: Named) -> None:
    index = SearchIndex(NAMES)
    assert index.find(named.name)[0].name == named.name


def test_fifty_thousand_tracks_are_searched_between_two_keys() -> None:
    rng = np.random.default_rng(3)
    letters = np.array(list(string.ascii_lowercase))

    def word() -> str:
        return "".join(rng.choice(letters, rng.integers(3, 9)))

    words = [word() for _ in range(5000)]
    chosen = rng.integers(len(words), size=(50_000, 4)).tolist()
    names = [
        Named("track", f"t{n}", f"{words[a]} {words[b]} {words[c]}", words[by])
        for n, (a, b, c, by) in enumerate(chosen)
    ]
    index = SearchIndex(names)
    wanted = names[1234]
    typed = f"{wanted.name[:-1]}"
    started = time.monotonic()
    first = index.find(typed)[0]
    assert time.monotonic() - started < 1  # some hundredths where nothing else runs
    assert first.name == wanted.name
