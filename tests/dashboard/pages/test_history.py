"""History in a real browser: what was heard, and what forgetting did, from data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from dashboard.history import Change, Forgotten
from dashboard.own_views import Effects
from segue import store
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent
from segue.track_names import name_id_of
from tests.dashboard.pages.stream import NOON, follow, hear, stream, take
from tests.dashboard.site import Site
from tests.factories import create_event

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]

LIST_MS = 20_000


def listen(
    track_id: str,
    at: datetime,
    session_id: str = "s1",
    action: Action = Action.COMPLETED,
    played_ms: int = 60_000,
) -> PlaybackEvent:
    event = create_event(action, track_id, at=at, played_ms=played_ms)
    return event._replace(session_id=session_id)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def open_history(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/history")
    expect(page.locator("#history .track").first).to_be_visible(timeout=LIST_MS)


def rows(page: Page) -> Locator:
    return page.locator("#history .track")


@pytest.fixture
def tokyo(browser: Browser, site: Site) -> Iterator[Page]:
    """Somebody in Tokyo, nine hours ahead, with a telephone."""
    context = browser.new_context(
        timezone_id="Asia/Tokyo", viewport={"width": 390, "height": 800}
    )
    for each in site.log_in().cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    yield context.new_page()
    context.close()


def test_what_was_heard_stands_by_day_and_session(page: Page, site: Site) -> None:
    hear(
        site,
        listen("t0", NOON, "a"),
        listen("t1", NOON + minutes(3), "a", Action.SKIPPED, 15_000),
        listen("t2", NOON + minutes(90), "b", Action.PROGRESSED, 30_000),
        listen("t3", NOON - timedelta(days=1), "c"),
        listen("gone", NOON - timedelta(days=1, hours=1), "c"),
        source='{"surface": "search"}',
    )
    named = listen(name_id_of("Ada", "Lost"), NOON - timedelta(days=2), "d")
    told = '{"surface": "<b>else", "artist": "Ada", "title": "<i>Lost"}'
    hear(site, named, source=told)
    hear(site, listen("t5", NOON)._replace(user_id="ben"))
    open_history(page, site)
    assert page.locator("#history h2").all_inner_texts() == [
        "Sunday 3 May 2026",
        "Saturday 2 May 2026",
        "Friday 1 May 2026",
    ]
    assert page.locator("#history h3").all_inner_texts() == [
        "13:30",
        "12:00 to 12:03",
        "11:00 to 12:00",
        "12:00",
    ]
    assert page.locator("#history .why").all_inner_texts() == [
        "13:30 · 0:30 of 1:00 · not to the end · from the search",
        "12:03 · 0:15 of 1:00 · skipped · from the search",
        "12:00 · 1:00 of 1:00 · to the end · from the search",
        "12:00 · 1:00 of 1:00 · to the end · from the search",
        "11:00 · 1:00 of 1:00 · to the end · from the search"
        " · no longer in the library",
        "12:00 · 1:00 of 1:00 · to the end · from <b>else · no longer in the library",
    ]
    assert rows(page).last.locator(".title").inner_text() == "<i>Lost"


def test_days_and_hours_are_those_of_the_browser(tokyo: Page, site: Site) -> None:
    hear(site, listen("t0", NOON), listen("t1", NOON + timedelta(hours=5), "s2"))
    open_history(tokyo, site)
    heads = tokyo.locator("#history h3")
    expect(heads.last).to_have_text("21:00", timeout=LIST_MS)
    assert heads.all_inner_texts() == ["02:00", "21:00"]
    assert tokyo.locator("#history h2").all_inner_texts() == [
        "Monday 4 May 2026",
        "Sunday 3 May 2026",
    ]
    wide = tokyo.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


def test_a_forgotten_listen_goes_and_the_page_says_what_it_did(
    page: Page, site: Site
) -> None:
    now = system_clock()
    kept, gone = listen("t0", now - minutes(9)), listen("t1", now - minutes(5))
    hear(site, kept, gone)
    open_history(page, site)
    rows(page).first.locator("[data-do=menu]").click()
    page.get_by_role("menuitem", name="Forget this listen").click()
    expect(page.locator("#toast")).to_contain_text("Forgetting")
    asked = take(site, Action.FORGOTTEN)
    assert (asked.user_id, asked.scope, asked.play_id) == (
        "ada",
        "listen",
        gone.play_id,
    )
    assert (asked.track_id, asked.session_id) == ("t1", "s1")
    follow(site, asked, ["t2", "t3"], left=["t4", "t5"], came=["t2", "t3"])
    stream(site, asked)
    note = page.locator("#history-note")
    expect(note).to_contain_text("Forgotten: 1 listen. 2 left your list, 2 came.")
    expect(note).to_contain_text("Left: Sweep 4, Sweep 5")
    expect(note).to_contain_text("Came: Sweep 2, Sweep 3")
    expect(rows(page)).to_have_count(1)
    # the next event's list says nothing of it; the page still does
    later = create_event(Action.SKIPPED, "t2", at=system_clock())
    follow(site, later, ["t3"], left=["t2"], came=[])
    hear(site, listen("t2", system_clock()))
    expect(rows(page)).to_have_count(2)
    expect(note).to_contain_text("2 left your list, 2 came.")


def test_a_session_is_forgotten_only_when_that_is_meant(page: Page, site: Site) -> None:
    now = system_clock()
    hear(site, *(listen(f"t{n}", now - minutes(9 - n), "mine") for n in range(3)))
    hear(site, listen("t5", now - minutes(20), "other"))
    open_history(page, site)
    answers: list[str] = []
    is_meant = [False, True]

    def answer(dialog: Dialog) -> None:
        answers.append(dialog.message)
        if is_meant.pop(0):
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    button = page.locator("[data-do=forget-session]").first
    button.click()
    button.click()
    asked = take(site, Action.FORGOTTEN)
    assert len(answers) == 2
    assert "cannot be taken back" in answers[0]
    assert (asked.scope, asked.session_id) == ("session", "mine")
    assert site.sink.actions() == []
    store.upsert(site.database, store.FORGETS, [])
    stream(site, asked)
    note = page.locator("#history-note")
    expect(note).to_contain_text("Forgotten: 3 listens. Nothing is left of which")
    expect(rows(page)).to_have_count(1)


def test_more_of_the_past_comes_when_asked_for(page: Page, site: Site) -> None:
    hear(site, *(listen(f"t{n % 6}", NOON + minutes(n)) for n in range(120)))
    open_history(page, site)
    more = page.locator("#history-more")
    for n_rows in (50, 100, 120):
        expect(rows(page)).to_have_count(n_rows, timeout=LIST_MS)
        if n_rows < 120:
            more.click()
    expect(more).to_be_hidden()


def test_forgetting_by_keyboard_and_a_server_away(page: Page, site: Site) -> None:
    hear(site, listen("gone", system_clock()))
    open_history(page, site)
    site.sink.is_away = True
    page.get_by_label("Forget this listen of Unknown track").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("segue.outbox.waiting() === 1")
    site.sink.is_away = False
    assert take(site, Action.FORGOTTEN).track_id == "gone"


def told(change: Change | None) -> Forgotten:
    return Forgotten("e1", is_done=True, n_listens=1, has_list=True, change=change)


def test_what_two_lists_changed_for_one_reason_is_told_as_one() -> None:
    effects = Effects()
    first, second = Change(("a",), ("b",)), Change(("b", "c"), ("d", "a"))
    assert effects.note(told(None)).change is None
    assert effects.note(told(first)).change == first
    assert effects.note(told(first)).change == first
    both = Change(("c",), ("d",))
    assert effects.note(told(second)).change == both
    assert effects.note(told(None)).change == both
    assert NOON.tzinfo == UTC
