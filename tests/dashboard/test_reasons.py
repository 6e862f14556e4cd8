from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.reasons import SAYS, SPEAKS, causes_of, reason, text_of
from dashboard.records import TrackCard

AT = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
PARTS = (
    *("now", "today", "month", "always", "skips", "seeds", "hub", "collaborative"),
    *("neighbours", "followers", "familiar", "variety"),
)
NAMES = ("own", "ebb", "tide", "sea", "dune")


def _card(name: str, artist: str = "", genre: str = "dub") -> TrackCard:
    return TrackCard(name, f"<{name}>", artist or f"by {name}", "", genre, None)


CARDS = {name: _card(name) for name in NAMES}


def _item(**fields: Any) -> dict[str, Any]:
    return {"track_id": "own", "parts": {"now": 0.5}, **fields}


def _because(*track_ids: str, share: float = 0.4) -> list[dict[str, Any]]:
    return [{"track_id": track_id, "share": share} for track_id in track_ids]


def _said(item: dict[str, Any], **heard: datetime) -> str:
    return text_of(reason(item, CARDS, heard))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"now": 0.5}, "Close to what you play now"),
        ({"today": 0.5}, "Close to what you played today"),
        ({"month": 0.5}, "Close to what you play these weeks"),
        ({"always": 0.5}, "Close to what you have played over time"),
        ({"collaborative": 0.5}, "Listeners with a taste like yours play it"),
        ({"neighbours": 0.5}, "Listeners of <ebb> play it too"),
        ({"followers": 0.5}, "Often played after <tide>"),
        ({"skips": 0.5}, "Away from what you skipped"),
        ({"familiar": 0.5}, "You have played it before"),
        ({"seeds": 0.5}, "Close to <sea>, which you played or liked"),
        ({"hub": 0.5}, "Nothing stands out: many small parts add up"),
        ({"variety": -0.5}, "Nothing stands out: many small parts add up"),
    ],
)
def test_each_part_has_its_words_and_says_nothing_when_small(
    parts: dict[str, float], words: str
) -> None:
    named = {"neighbour": "ebb", "follows": "tide", "seed": "sea"}
    assert _said(_item(parts=parts, **named)) == words
    small = {name: min(value, SAYS - 0.001) for name, value in parts.items()}
    assert _said(_item(parts=small, **named)).startswith("Nothing stands out")


def test_the_tracks_of_one_style_that_were_heard_are_counted() -> None:
    item = _item(because=_because("ebb", "tide"), neighbour="dune")
    item["parts"] = {"now": 0.5, "neighbours": 0.1}
    later = {name: AT + timedelta(minutes=9) for name in ("tide", "sea")}
    assert _said(item, ebb=AT, **later) == (
        "Close to the 3 dub tracks you played since 21:40 UTC; "
        "listeners of <dune> play it too"
    )


def test_a_style_is_only_named_where_the_track_and_all_causes_are_of_it() -> None:
    item = _item(because=_because("ebb", "tide"))
    heard = dict.fromkeys(("ebb", "tide", "sea"), AT)
    other = CARDS | {"ebb": _card("ebb", genre="house")}
    assert text_of(reason(item, other, heard)) == (
        "Close to <ebb> and <tide>, which you played since 21:40 UTC"
    )
    own = CARDS | {"own": _card("own", genre="house")}
    assert "tracks" not in text_of(reason(item, own, heard))
    assert "tracks" not in text_of(reason(item, CARDS, {"ebb": AT, "sea": AT}))
    long_ago = item | {"parts": {"always": 0.5}}
    assert "tracks" not in text_of(reason(long_ago, CARDS, heard))


def test_a_moment_stays_one_for_the_browser() -> None:
    item = _item(because=_because("ebb"))
    assert reason(item, CARDS, {"ebb": AT}) == (
        "Close to <ebb>, which you played at ",
        AT,
    )


def test_a_cause_that_says_little_is_not_named() -> None:
    item = _item(because=_because("ebb", share=SPEAKS - 0.01))
    assert _said(item) == "Close to what you play now"


def test_a_list_that_kept_no_parts_says_so() -> None:
    assert _said({"track_id": "own"}) == "Its reasons were not kept"


def test_a_cause_is_told_once_with_all_its_share() -> None:
    item = _item(because=_because("ebb", "ebb", "gone"), seed="ebb", follows="sea")
    told = [(c.kind, c.track.track_id, c.share) for c in causes_of(item, CARDS)]
    assert told == [
        ("heard", "ebb", 0.8),
        ("seed", "ebb", None),
        ("follows", "sea", None),
    ]


names = st.sampled_from([*NAMES, "gone"])
items = st.fixed_dictionaries(
    {"track_id": st.just("own")},
    optional={
        "parts": st.dictionaries(st.sampled_from(PARTS), st.floats(-1, 1)),
        "because": st.lists(
            st.fixed_dictionaries({"track_id": names, "share": st.floats(0, 1)}),
            max_size=3,
        ),
        "seed": st.none() | names,
        "neighbour": st.none() | names,
        "follows": st.none() | names,
        "explored": st.booleans(),
    },
)


@given(items, st.dictionaries(names, st.just(AT)))
def test_a_reason_is_never_empty_and_names_only_causes(
    item: dict[str, Any], heard: dict[str, datetime]
) -> None:
    said = text_of(reason(item, CARDS, heard))
    assert said[0].isupper()
    spoken_for = {cause["track_id"] for cause in item.get("because", [])}
    spoken_for |= {item.get(name) for name in ("seed", "neighbour", "follows")}
    assert {name for name in NAMES if f"<{name}>" in said} <= spoken_for
