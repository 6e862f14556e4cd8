"""Panes into documents: exact for any order, chunking and repetition."""

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forgetting import forget_rule
from models.groups import create_groups
from segue import store
from segue.events import Action, PlaybackEvent, Scope
from segue.settings import Settings
from streaming.panes import (
    COUNTS,
    DAY_S,
    Pane,
    merged,
    pane_of,
    without_forgotten,
)
from streaming.schemas import ENTRY_FIELDS
from streaming.tastes import create_lists, entries_of, known_of, window_document
from tests.factories import START, create_event, create_index, seconds

INDEX = create_index()
GROUPS = create_groups(INDEX.track_ids, {})
SETTINGS = Settings()
PANE_S = SETTINGS.stream.pane_s


def rows_of(events: list[PlaybackEvent]) -> list[dict[str, Any]]:
    """Return what Spark's state holds of `events`, in the order of their offsets."""
    return [
        {name: getattr(event, name) for name in ENTRY_FIELDS}
        | {"partition": 0, "offset": offset}
        for offset, event in enumerate(events)
    ]


def window_start(moment: datetime) -> datetime:
    return START + seconds((moment - START).total_seconds() // PANE_S * PANE_S)


def panes_of(events: list[PlaybackEvent]) -> list[Pane]:
    starts = sorted({window_start(event.event_time) for event in events})
    return [
        pane_of(
            s, PANE_S, rows_of([e for e in events if window_start(e.event_time) == s])
        )
        for s in starts
    ]


class Update(NamedTuple):
    """What is written of listeners of whom these panes are all there is."""

    windows: list[store.Document]
    tastes: list[store.Document]
    lists: list[store.Document]
    without_list: dict[str, datetime]


def create_update(
    panes: Mapping[str, list[Pane]],
    aliases: Mapping[str, str] | None = None,
    before: Mapping[str, store.Document] | None = None,
) -> Update:
    names = aliases or {}
    entries = {user: entries_of(each, names) for user, each in panes.items()}
    known = {u: known_of(each, SETTINGS.taste, INDEX) for u, each in entries.items()}
    windows = [
        window_document(user, pane, INDEX, names, START)
        for user, each in panes.items()
        for pane in each
    ]
    lists = create_lists(known, INDEX, GROUPS, SETTINGS, START, before)
    return Update(windows, *lists)


def update_of(events: list[PlaybackEvent]) -> Update:
    return create_update({"ada": panes_of(events)})


def test_a_pane_keeps_the_first_copy_of_an_event() -> None:
    first = create_event(Action.SKIPPED, event_id="e", played_ms=0)
    again = create_event(Action.COMPLETED, event_id="e")
    (window,) = update_of([first, again, first]).windows
    assert (window["n_events"], window["n_duplicates"]) == (1, 2)
    assert window["negative_weight"] == 1.0


def test_a_pane_holds_the_mean_vector_of_what_was_heard() -> None:
    events = [
        create_event(track_id="t001"),
        create_event(Action.SKIPPED, "t002", played_ms=45_000),
        create_event(Action.SKIPPED, "t003", played_ms=0),
    ]
    (window,) = update_of(events).windows
    expected = (INDEX.vectors[1] * 1.0 + INDEX.vectors[2] * 0.5) / 1.5
    np.testing.assert_allclose(window["vector"], expected, atol=1e-7)
    assert (window["weight"], window["negative_weight"]) == (1.5, 1.0)
    assert window["n_listens"] == 3
    assert window["_id"] == f"ada|2026-05-03T22:10:00.000Z|{PANE_S}"


def test_an_unknown_track_is_kept_and_counted_apart() -> None:
    (window,) = update_of([create_event(track_id="unheard of")]).windows
    assert (window["n_events"], window["n_unknown_track"]) == (0, 1)
    assert [entry["track_id"] for entry in window["entries"]] == ["unheard of"]
    assert window["n_listens"] == 0


def test_a_list_leaves_out_what_was_just_heard_and_says_why() -> None:
    (document,) = update_of([create_event(track_id="t001")]).lists
    ids = [item["track_id"] for item in document["items"]]
    assert "t001" not in ids
    assert len(ids) == SETTINGS.taste.n_recommendations
    first = document["items"][0]
    assert first["because"][0]["track_id"] == "t001"
    assert first["because"][0]["window_start"] == START
    assert document["newest_event_at"] == START


def test_a_listener_without_taste_has_an_empty_list() -> None:
    liked = create_event(Action.LIKED)
    taken_back = create_event(Action.UNLIKED, at=START + seconds(1))
    for events in ([create_event(Action.STARTED)], [liked, taken_back]):
        (document,) = update_of(events).lists
        assert document["items"] == []


def test_who_comes_back_after_a_month_finds_their_taste() -> None:
    old = create_event(track_id="t001")
    back = START + seconds(32 * 86_400)
    begun = create_event(Action.STARTED, "t002", at=back)
    update = update_of([old, begun])
    (taste,), (document,) = update.tastes, update.lists
    weights = {name: each["weight"] for name, each in taste["horizons"].items()}
    assert weights["now"] == weights["today"] == weights["month"] == 0
    assert weights["always"] == pytest.approx(0.5 ** (32 / 365))
    np.testing.assert_allclose(
        taste["horizons"]["always"]["vector"], INDEX.vectors[1], atol=1e-7
    )
    assert taste["seeds"][0]["track_id"] == "t001"
    first = next(item for item in document["items"] if not item["explored"])
    assert first["track_id"] == first["because"][0]["track_id"] == "t001"
    assert first["because"][0]["window_start"] == START.replace(hour=0, minute=0)


def test_a_list_says_what_came_and_what_left_and_after_which_event() -> None:
    first = create_event(track_id="t001")
    (before,) = update_of([first]).lists
    skipped, at = before["items"][0]["track_id"], START + seconds(60)
    skip = create_event(Action.SKIPPED, skipped, at=at, played_ms=0)
    assert before["diff"]["came"] == [item["track_id"] for item in before["items"]]
    assert before["diff"]["left"] == []
    panes = {"ada": panes_of([first, skip])}
    (after,) = create_update(panes, before={"ada": before}).lists
    was, now = ({i["track_id"] for i in each["items"]} for each in (before, after))
    assert set(after["diff"]["came"]) == now - was
    assert set(after["diff"]["left"]) == was - now
    assert skipped in after["diff"]["left"]
    assert after["diff"]["event"] == {
        "event_id": skip.event_id,
        "action": "skipped",
        "track_id": skipped,
        "event_time": skip.event_time,
    }
    assert after["diff"]["made_at"] == after["updated_at"]
    # the batch runs again
    (again,) = create_update(panes, before={"ada": after}).lists
    assert again == after


def test_a_skip_is_what_changed_the_list_and_not_the_start_of_the_next() -> None:
    first = create_event(track_id="t001")
    (before,) = update_of([first]).lists
    skipped, at = before["items"][0]["track_id"], START + seconds(60)
    skip = create_event(Action.SKIPPED, skipped, at=at, played_ms=0)
    begun = create_event(Action.STARTED, "t002", at=at + seconds(1))
    panes = {"ada": panes_of([first, skip, begun])}
    (after,) = create_update(panes, before={"ada": before}).lists
    assert after["diff"]["event"]["event_id"] == skip.event_id
    # the play goes on, and the list stays: what changed it is said on
    more = create_event(Action.PROGRESSED, "t002", at=at + seconds(9), played_ms=8000)
    panes = {"ada": panes_of([first, skip, begun, more])}
    (later,) = create_update(panes, before={"ada": after}).lists
    assert later["diff"] == after["diff"]
    assert later["newest_event_at"] == more.event_time


events = st.lists(
    st.builds(
        create_event,
        action=st.sampled_from(Action),
        track_id=st.sampled_from([*INDEX.track_ids[:9], "unheard of"]),
        at=st.integers(0, 3 * PANE_S).map(lambda s: START + seconds(s)),
        play_id=st.sampled_from(["p1", "p2", "p3", "p4"]),
        played_ms=st.integers(0, 60_000),
    ),
    min_size=1,
    max_size=14,
)


@given(events, st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_chunking_and_repetition_change_no_document(
    events: list[PlaybackEvent], random: Any, n_chunks: int
) -> None:
    once = update_of(events)
    arriving = [*events, *random.sample(events, k=len(events) // 2)]
    random.shuffle(arriving)
    stored: dict[datetime, Pane] = {}
    for chunk in range(n_chunks):
        seen = arriving[: len(arriving) * (chunk + 1) // n_chunks]
        new = arriving[len(arriving) * chunk // n_chunks : len(seen)]
        touched = {window_start(event.event_time) for event in new}
        changed = [pane for pane in panes_of(seen) if pane.window_start in touched]
        others = [p for start, p in stored.items() if start not in touched]
        stored |= {pane.window_start: pane for pane in changed}
        if changed:
            last = create_update({"ada": [*changed, *others]})
    everything = create_update({"ada": list(stored.values())})
    assert without_duplicates(everything) == without_duplicates(once)
    assert last.lists == once.lists


def without_duplicates(update: Update) -> list[dict[str, Any]]:
    windows = sorted(update.windows, key=lambda window: str(window["_id"]))
    return [{k: v for k, v in w.items() if k != "n_duplicates"} for w in windows]


def test_a_listener_does_not_depend_on_who_else_is_in_the_batch() -> None:
    ada = panes_of([create_event(track_id="t001")])
    bob = panes_of([create_event(track_id="t002")])
    alone = create_update({"ada": ada})
    both = create_update({"bob": bob, "ada": ada})
    assert alone.lists[0] in both.lists
    assert alone.windows[0] in both.windows
    assert len(both.lists) == 2


def test_what_is_forgotten_is_counted_and_leaves_no_trace() -> None:
    first, again, other = create_event(), create_event(), create_event(track_id="t001")
    asked = create_event(Action.FORGOTTEN, "-", at=START + seconds(5))
    until = asked.event_time
    rule = forget_rule(Scope.TRACK, until, None, "p", "s", ["t000"])
    (pane,) = panes_of([first, again, first, other, asked])
    kept = without_forgotten(pane, [rule])
    update = create_update({"ada": [kept]})
    (window,) = update.windows
    assert [window[name] for name in COUNTS] == [2, 0, 2, 1, 0]
    want = create_update({"ada": panes_of([other, asked])})
    assert window["vector"] == want.windows[0]["vector"]
    assert update.lists == want.lists


def test_of_whom_nothing_is_left_has_no_list() -> None:
    asked = create_event(Action.FORGOTTEN, at=START + seconds(5))
    update = create_update({"ada": panes_of([asked])})
    assert (update.lists, update.without_list) == ([], {"ada": asked.event_time})
    bob = panes_of([create_event(user_id="bob")])
    together = create_update({"ada": panes_of([asked]), "bob": bob})
    assert [each["_id"] for each in together.lists] == ["bob"]


def test_parts_add_up_to_the_score() -> None:
    events = [
        create_event(track_id="t001"),
        create_event(Action.SKIPPED, "t002", played_ms=0),
    ]
    for item in update_of(events).lists[0]["items"]:
        assert sum(item["parts"].values()) == pytest.approx(item["score"], abs=1e-9)


def day_of(events: list[PlaybackEvent], **more: Any) -> Pane:
    rows = [row | more for row in rows_of(events)]
    return pane_of(START.replace(hour=0, minute=0), DAY_S, rows)


@given(events, st.data())
def test_merging_a_day_again_changes_nothing(
    events: list[PlaybackEvent], data: st.DataObject
) -> None:
    whole = day_of(events)
    rows = rows_of(events)
    pane = whole._replace(entries=[], copies=[])
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=4))
    for start, end in itertools.pairwise([0, *cuts, len(rows)]):
        part = rows[min(start, end) : max(start, end)]
        pane = merged(pane, pane_of(pane.window_start, DAY_S, part))
    assert pane.entries == whole.entries
    assert sorted(pane.copies) == sorted(whole.copies)


def test_a_late_event_is_in_its_day_and_counted_elsewhere() -> None:
    late, told = create_event(track_id="t001"), create_event(track_id="t002")
    day = merged(day_of([told]), day_of([late], is_late=True))
    (window,) = create_update({"ada": [day]}).windows
    assert window["n_listens"] == 2
    assert (window["n_events"], window["n_duplicates"]) == (1, 0)
    assert [copy["event_id"] for copy in window["copies"]] == [told.event_id]


def test_a_play_known_by_name_counts_when_its_track_is_there() -> None:
    play = create_event(track_id="name:1")
    update = create_update({"ada": [day_of([play])]})
    assert update.windows[0]["n_unknown_track"] == 1
    found = create_update({"ada": [day_of([play])]}, {"name:1": "t001"})
    (window,) = found.windows
    assert (window["n_events"], window["n_unknown_track"]) == (1, 0)
    np.testing.assert_allclose(window["vector"], INDEX.vectors[1], atol=1e-7)
    assert window["entries"][0]["track_id"] == "name:1"
    assert found.lists[0]["items"][0]["because"][0]["track_id"] == "t001"
