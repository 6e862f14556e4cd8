import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from segue import store
from segue.settings import Settings
from tests.dashboard.site import CollectingSink, Site, served, write_library

_REFUSED = re.compile(r"status of (400|409|503)\b")


@pytest.fixture
def site(settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Site]:
    """A served dashboard with a small library; the test needs the mark `mongo`."""
    ours = settings(prepared=True)
    database = store.connect(ours.mongo)
    library = tmp_path / "music"
    store.upsert(database, store.TRACKS, write_library(library))
    sink, history = CollectingSink(), CollectingSink()
    with served(ours, sink, history) as port:
        yield Site(port, sink, database, library, history, ours.mongo, ours.home)
    database.client.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of its own, closed before its site; an error on its console fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    for each in site.log_in().cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            errors.append(message.text) if message.type == "error" else None
        ),
    )
    yield page
    context.close()
    # a refusal that a test has asked for shows there too
    assert [error for error in errors if not _REFUSED.search(error)] == []
