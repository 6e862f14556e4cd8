"""Music that an admin imports, by a real scan into a real MongoDB."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from segue import store
from tests.dashboard.furnished import with_ids
from tests.dashboard.site import Answer, Site
from tests.features.sounds import write_sound

pytestmark = pytest.mark.mongo
JSON = {"Content-Type": "application/json"}
_MANY = 2000  # more than a scan reads while one is asked to stop


def post(site: Site, path: str, **words: Any) -> Answer:
    return site.ask(f"/api/music/{path}", "POST", json.dumps(words).encode(), JSON)


def told(site: Site) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(site.ask("/api/music").body)
    return answer


def until(site: Site, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look until the import is so; return all that was told of it."""
    for _ in range(600):
        if is_so(now := json.loads(site.ask("/api/music/import").body)):
            return dict(now)
        time.sleep(0.05)
    raise AssertionError(f"never so: {now}")


def is_over(now: dict[str, Any]) -> bool:
    return now["state"] not in ("running", "stopping")


@pytest.fixture
def more(site: Site, tmp_path: Path) -> Path:
    """A folder of music beside the library."""
    tracks = [with_ids(each) for each in site.database[store.TRACKS].find()]
    store.upsert(site.database, store.TRACKS, tracks)
    folder = tmp_path / "more"
    for n in range(3):
        write_sound(folder / "Ada" / f"{n + 1:02d} Lagoon {n}.ogg", seed=n)
    (folder / "broken.mp3").write_text("this is no music " * 99)
    return folder


def scan_of(folder: Path) -> psutil.Process:
    """Return the scan's process as soon as it is there, long before it can be over."""
    for _ in range(600):
        for each in psutil.process_iter(["cmdline"]):
            line = each.info["cmdline"] or []
            if "scan" in line and str(folder) in line:
                return each
        time.sleep(0.01)
    raise AssertionError(f"no scan of {folder}")


def test_a_folder_is_imported_beside_what_is_there(site: Site, more: Path) -> None:
    answer = post(site, "import", folder=str(more))
    assert (answer.status, json.loads(answer.body)["state"]) == (202, "running")
    done = until(site, is_over)
    assert (done["state"], done["n_found"], done["n_read"]) == ("done", 4, 4)
    assert (done["n_new"], done["n_errors"]) == (3, 1)
    assert "broken.mp3" in done["errors"][0]
    folders = {each["path"]: each["n_tracks"] for each in told(site)["folders"]}
    assert folders == {str(site.library): 6, str(more): 3}


def test_an_added_folder_is_removed_and_imported_again(site: Site, more: Path) -> None:
    post(site, "import", folder=str(more))
    until(site, is_over)
    added = {each["path"] for each in told(site)["folders"] if each["is_added"]}
    assert added == {str(more)}
    files = sorted(more.rglob("*"))
    answer = post(site, "remove", folder=str(more))
    assert (answer.status, json.loads(answer.body)["n_missing"]) == (200, 3)
    assert [each["path"] for each in told(site)["folders"]] == [str(site.library)]
    assert told(site)["import"]["state"] == "none"
    assert sorted(more.rglob("*")) == files
    assert post(site, "remove", folder=str(more)).status == 404
    post(site, "import", folder=str(more))
    assert until(site, is_over)["state"] == "done"
    assert {"path": str(more), "n_tracks": 3, "is_added": True} in told(site)["folders"]


@pytest.mark.parametrize("folder", ["", "/nowhere", "a\0b", "{library}"])
def test_what_was_not_added_is_not_removed(site: Site, folder: str) -> None:
    path = folder.replace("{library}", str(site.library))
    answer = post(site, "remove", folder=path)
    assert answer.status == 404
    assert json.loads(answer.body)["error"]["reason"] == "not_added"
    assert [each["n_tracks"] for each in told(site)["folders"]] == [6]
    assert post(site, "remove", folder=5).status == 400


def test_a_folder_whose_files_are_gone_can_be_removed(site: Site, more: Path) -> None:
    post(site, "import", folder=str(more))
    until(site, is_over)
    rmtree(more / "Ada")
    post(site, "import", folder=str(more))
    until(site, is_over)
    # a track that has no file is in no folder
    (track, *_) = site.database[store.TRACKS].find({"_id": "t1"})
    ready = {**track, "_id": "x", "path": None, "root": None}
    store.upsert(site.database, store.TRACKS, [ready])
    gone = {"path": str(more), "n_tracks": 0, "is_added": True}
    assert gone in told(site)["folders"]
    assert post(site, "remove", folder=str(more)).status == 200
    assert gone not in told(site)["folders"]


@pytest.mark.parametrize("folder", ["music", "/nowhere", "/proc"])
def test_what_may_not_be_imported_is_a_sentence(site: Site, folder: str) -> None:
    answer = post(site, "import", folder=folder)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["reason"] == "wrong_folder"
    assert told(site)["import"]["state"] == "none"


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"folder": 5}', b"x"])
def test_without_a_folder_nothing_is_imported(site: Site, body: bytes) -> None:
    assert site.ask("/api/music/import", "POST", body, JSON).status == 400


def test_one_import_runs_at_a_time_and_can_be_stopped(site: Site, more: Path) -> None:
    for n in range(_MANY):
        write_sound(more / f"{n}.wav", seed=100 + n, duration_s=0.05)
    assert post(site, "import", folder=str(more)).status == 202
    process = scan_of(more)
    until(site, lambda now: now["n_read"] > 0)
    process.suspend()  # lest it is over before it is asked to stop
    for act in ("import", "remove"):
        second = post(site, act, folder=str(more))
        assert (second.status, b"wait for it" in second.body) == (409, True)
    assert post(site, "stop").status == 200
    process.resume()
    over = until(site, is_over)
    assert over["state"] == "stopped"
    assert 0 < over["n_read"] < over["n_found"] == _MANY + 4
    assert not process.is_running()
    # what was there before stays, and so does what was read
    present = {"missing": {"$ne": True}}
    n_tracks = site.database[store.TRACKS].count_documents(present)
    assert n_tracks == 6 + over["n_new"]


def test_a_scan_that_dies_is_told_and_another_can_follow(
    site: Site, more: Path
) -> None:
    assert post(site, "import", folder=str(more)).status == 202
    scan_of(more).kill()
    dead = until(site, is_over)
    assert (dead["state"], dead["errors"]) == ("failed", ["the scan ended with -9"])
    assert site.ask("/healthz").status == 200
    assert post(site, "import", folder=str(more)).status == 202
    assert until(site, is_over)["state"] == "done"


@pytest.mark.browser
@pytest.mark.slow
def test_an_admin_imports_in_the_page_and_finds_the_music_without_a_reload(
    page: Page, site: Site, more: Path
) -> None:
    asked = list[str]()
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(f"{site.url}/settings")
    page.get_by_label("Folder on the server").fill(str(more))
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#music-said")).to_contain_text(
        "4 of 4 files, 1 cannot be read, 3 new", timeout=30_000
    )
    assert asked.count("/api/music") == 3  # the page's own, then before and after
    assert asked.count("/api/music/import") > 1
    expect(page.locator("#music-errors")).to_contain_text("broken.mp3")
    expect(page.locator("#music-folders")).to_contain_text(f"{more}3 tracks")
    page.get_by_label("Pages").get_by_role("link", name="Search").click()
    page.get_by_label("Search", exact=True).fill("lagoon 2")
    expect(page.get_by_role("button", name="Play Lagoon 2 by")).to_be_visible()


@pytest.mark.browser
@pytest.mark.slow
def test_an_admin_removes_a_folder_in_the_page_and_has_it_back(
    page: Page, site: Site, more: Path
) -> None:
    post(site, "import", folder=str(more))
    until(site, is_over)
    page.goto(f"{site.url}/settings")
    folders = page.locator("#music-folders")
    expect(folders.locator("li")).to_have_count(2)
    expect(folders.get_by_role("button")).to_have_count(1)  # the library itself stays
    folders.get_by_role("button", name=f"Remove the folder {more}").press("Enter")
    toast = page.locator("#toast")
    expect(toast).to_contain_text(f"Removed {more}: 3 tracks")
    expect(folders.locator("li")).to_have_count(1)
    expect(page.get_by_label("Folder on the server")).to_be_focused()
    page.get_by_label("Pages").get_by_role("link", name="Search").click()
    page.get_by_label("Search", exact=True).fill("lagoon 2")
    expect(page.locator("#found")).to_contain_text("Nothing found")
    page.get_by_label("Pages").get_by_role("link", name="Settings").click()
    expect(folders.locator("li")).to_have_count(1)
    toast.get_by_role("button", name="Undo").click()
    expect(folders).to_contain_text(f"{more}3 tracks", timeout=30_000)
    assert (more / "Ada" / "01 Lagoon 0.ogg").is_file()


@pytest.mark.browser
def test_what_is_wrong_with_a_folder_is_said_in_the_page(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context()  # whose console may tell of the 400
    for each in site.log_in().cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{site.url}/settings")
    page.get_by_label("Folder on the server").fill("/proc")
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#music-said")).to_contain_text("belongs to the system")
    context.close()
