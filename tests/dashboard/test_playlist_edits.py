"""Edits of a playlist's order, against a plain Python list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.playlist_edits import (
    MAX_TRACKS,
    Row,
    inserted,
    moved,
    place_of,
    removed,
    require_current,
)
from dashboard.refusals import RefusedError

IDS = st.sampled_from("abcdef")
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "remove", "move"]),
        st.integers(0, 8),
        st.integers(0, 8),
        st.lists(IDS, min_size=1, max_size=3),
    ),
    max_size=30,
)


@given(st.lists(IDS, max_size=8), EDITS)
def test_any_edits_do_what_a_list_does(
    begin: list[str], edits: list[tuple[str, int, int, list[str]]]
) -> None:
    ours, wanted = list(begin), list(begin)
    for kind, place, to, new in edits:
        if kind == "insert":
            ours = inserted(ours, new, place)
            wanted[place:place] = new
        elif place < len(wanted) and kind == "remove":
            ours = removed(ours, place)
            del wanted[place]
        elif place < len(wanted) and to < len(wanted):
            ours = moved(ours, place, to)
            wanted.insert(to, wanted.pop(place))
        assert ours == wanted


@given(st.lists(IDS, min_size=1, max_size=8), st.data())
def test_a_row_of_this_version_is_where_it_was_seen(
    ids: list[str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(ids) - 1))
    assert place_of(ids, 3, Row(place, ids[place], 3)) == place


@given(st.lists(IDS, max_size=8), st.integers(0, 9), IDS)
def test_a_row_of_an_older_version_is_found_where_it_is_the_only_one(
    ids: list[str], place: int, track_id: str
) -> None:
    row = Row(place, track_id, 2)
    if ids.count(track_id) == 1:
        assert ids[place_of(ids, 3, row)] == track_id
        return
    with pytest.raises(RefusedError, match="changed meanwhile") as caught:
        place_of(ids, 3, row)
    assert caught.value.status == 409


def test_a_wrong_place_is_refused() -> None:
    with pytest.raises(RefusedError, match="place 1 is another"):
        place_of(["a", "b"], 3, Row(1, "a", 3))
    with pytest.raises(RefusedError, match="no place 2"):
        moved(["a", "b"], 0, 2)
    with pytest.raises(RefusedError, match="changed meanwhile"):
        require_current(3, Row(0, "a", 2))


def test_a_playlist_has_an_end() -> None:
    assert len(inserted(["a"] * (MAX_TRACKS - 1), ["b"])) == MAX_TRACKS
    with pytest.raises(RefusedError, match="at most 5,000 tracks, this would be 5,001"):
        inserted(["a"] * MAX_TRACKS, ["b"])
