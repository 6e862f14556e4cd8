"""Signing up, logging in and leaving, in a real browser."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from segue import store
from tests.dashboard.site import Site, list_document

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
WAIT_MS = 20_000


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """A page of somebody who has not logged in."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def fill(page: Page, name: str, password: str, button: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=button).click()


def sign_up(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/sign-up")
    fill(page, "ben", "seven swans", "Sign up")
    expect(page.locator("a.nav.own")).to_have_text("ben")


def test_a_stranger_comes_to_the_door_and_then_to_the_page_they_wanted(
    stranger: Page, site: Site
) -> None:
    stranger.goto(f"{site.url}/settings")
    expect(stranger).to_have_title("Log in · Segue")
    stranger.get_by_role("link", name="Sign up").click()
    fill(stranger, "ben", "seven swans", "Sign up")
    expect(stranger.locator("h1")).to_have_text("Settings")
    expect(stranger.get_by_role("link", name="Analytics")).to_have_count(0)
    stranger.context.clear_cookies()
    stranger.goto(f"{site.url}/settings")
    fill(stranger, "ben", "other swans", "Log in")
    expect(stranger.get_by_role("alert")).to_have_text(
        "No account has this name and this password."
    )
    fill(stranger, "ben", "seven swans", "Log in")
    expect(stranger.locator("h1")).to_have_text("Settings")


def test_who_signs_up_comes_to_the_page_they_wanted(stranger: Page, site: Site) -> None:
    stranger.goto(f"{site.url}/history")
    stranger.get_by_role("link", name="Sign up").click()
    stranger.get_by_role("link", name="Log in").click()
    stranger.get_by_role("link", name="Sign up").click()
    fill(stranger, "ben", "seven swans", "Sign up")
    expect(stranger.locator("h1")).to_have_text("History")
    stranger.context.clear_cookies()
    # another site is no page of ours
    stranger.goto(f"{site.url}/log-in?next=//elsewhere.example/")
    stranger.get_by_role("link", name="Sign up").click()
    fill(stranger, "eve", "seven swans", "Sign up")
    expect(stranger.locator("h1")).to_have_text("For you")
    assert stranger.url == f"{site.url}/"


def test_who_logs_out_has_told_what_they_heard(stranger: Page, site: Site) -> None:
    store.upsert(
        site.database, store.RECOMMENDATIONS, [list_document("ben", ["t0", "t2"])]
    )
    sign_up(stranger, site)
    stranger.locator("#for-you li:nth-child(1) [data-do=play]").click()
    for _ in range(200):
        if "started" in site.sink.actions():
            break
        stranger.wait_for_timeout(100)
    stranger.get_by_title("Settings").click()
    stranger.get_by_role("button", name="Log out").click()
    expect(stranger).to_have_title("Log in · Segue")
    assert site.sink.actions()[0] == "started"
    assert site.sink.actions()[-1] == "progressed"
    assert {event.user_id for event in site.sink.events} == {"ben"}
    stranger.goto(site.url)
    expect(stranger).to_have_title("Log in · Segue")


def test_the_events_of_one_listener_are_not_sent_by_the_next(
    stranger: Page, site: Site
) -> None:
    sign_up(stranger, site)
    stranger.evaluate(
        """localStorage.setItem("segue.outbox",
             JSON.stringify([{event_id: "e1", user_id: "ada"}]))"""
    )
    stranger.reload()
    expect(stranger.locator("h1")).to_have_text("For you")
    assert stranger.evaluate("segue.outbox.waiting()") == 0
    stranger.evaluate("segue.outbox.flush()")
    kept = stranger.evaluate("JSON.parse(localStorage.getItem('segue.outbox')).length")
    assert kept == 1
    assert site.sink.events == []


def test_a_page_whose_log_in_has_ended_goes_to_the_door(
    stranger: Page, site: Site
) -> None:
    sign_up(stranger, site)
    expect(stranger.locator("#for-you-note")).to_contain_text("this list will follow")
    site.database[store.LOGINS].delete_many({"user_id": "ben"})
    expect(stranger).to_have_title("Log in · Segue", timeout=WAIT_MS)


def test_a_page_becomes_that_of_who_has_logged_in_beside_it(
    stranger: Page, site: Site
) -> None:
    sign_up(stranger, site)
    stranger.evaluate("segue.likes.set('t1', true)")
    other = stranger.context.new_page()
    other.goto(f"{site.url}/settings")
    other.get_by_role("button", name="Log out").click()
    expect(other).to_have_title("Log in · Segue")
    other.get_by_role("link", name="Sign up").click()
    fill(other, "eve", "seven swans", "Sign up")
    expect(other.locator("a.nav.own")).to_have_text("eve")
    expect(stranger.locator("a.nav.own")).to_have_text("eve", timeout=WAIT_MS)
    kept = "of => JSON.parse(localStorage.getItem(`segue.likes.${of}`) ?? `[]`).length"
    assert [stranger.evaluate(kept, name) for name in ("ben", "eve")] == [1, 0]


def test_password_and_account_are_changed_and_ended_on_their_page(
    stranger: Page, site: Site
) -> None:
    sign_up(stranger, site)
    stranger.get_by_title("Settings").click()
    stranger.get_by_label("Password now").fill("seven swans")
    stranger.get_by_label("New password").fill("eight swans")
    stranger.get_by_role("button", name="Change it").click()
    expect(stranger.get_by_role("status").first).to_contain_text("is another now")
    # the socket of the old log-in ends, the page with the new one stays
    stranger.locator("a.nav", has_text="Home").click()
    stranger.wait_for_timeout(7_000)
    expect(stranger.locator("h1")).to_have_text("For you")
    stranger.get_by_title("Settings").click()
    stranger.get_by_label("Password, to be sure").fill("eight swans")
    stranger.get_by_role("button", name="Delete my account").click()
    expect(stranger).to_have_title("Log in · Segue")
    event = next(e for e in site.sink.events if e.action == "forgotten")
    assert (event.user_id, event.scope) == ("ben", "everything")
    for _ in range(50):
        if site.database[store.USERS].count_documents({}) == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the account is still there")


KEPT = """async () => {
  const asking = indexedDB.open("segue", 1);
  await new Promise((done) => (asking.onsuccess = done));
  const shelf = asking.result.transaction("kept").objectStore("kept").getAll();
  await new Promise((done) => (shelf.onsuccess = done));
  const events = [...shelf.result, ...JSON.parse(localStorage["segue.outbox"])];
  return [...Object.keys(localStorage), ...events.map((event) => event.user_id)];
}"""


def test_nothing_is_kept_in_the_browser_of_an_account_that_was_deleted(
    stranger: Page, site: Site
) -> None:
    listed = list_document("ben", ["t0", "t2"])
    store.upsert(site.database, store.RECOMMENDATIONS, [listed])
    sign_up(stranger, site)
    stranger.route("**/api/events", lambda route: route.fulfill(status=503))
    stranger.evaluate("segue.outbox.add({event_id: 'e1', user_id: 'ada'})")
    stranger.locator("#for-you li:nth-child(1) [data-do=play]").click()
    stranger.wait_for_function("() => segue.outbox.waiting() > 0")
    stranger.get_by_title("Settings").click()
    stranger.get_by_label("Password, to be sure").fill("seven swans")
    assert "ben" in stranger.evaluate(KEPT)
    stranger.get_by_role("button", name="Delete my account").click()
    expect(stranger).to_have_title("Log in · Segue")
    kept = stranger.evaluate(KEPT)
    assert kept.count("ada") == 2
    assert [each for each in kept if "ben" in each] == []
