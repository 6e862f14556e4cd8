"""Tracks in another form, by a real ffmpeg from real files."""

import asyncio
import http.client
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import pytest
import uvloop
from playwright.sync_api import Browser

from dashboard.encoding import FORMS, Encode, command
from dashboard.sent_files import File
from dashboard.transcoding import Transcoder, trim
from segue import store
from segue.settings import Settings
from tests.dashboard.site import CollectingSink, Site, cookie_header, served

pytestmark = pytest.mark.mongo
OPUS: Final = "/media/t1?form=opus"
ENCODERS: Final = {
    "track.flac": ("flac",),
    "track.m4a": ("aac",),
    "track.wav": ("pcm_s24le",),
    "track.ogg": ("libvorbis",),
    "track.opus": ("libopus",),
    "track.mp3": ("libmp3lame",),
    "track.wma": ("wmav2",),
    "track.aiff": ("pcm_s16be",),
    "track.mka": ("libvorbis",),
}


def ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True)


def make_sound(path: Path, encoder: str, duration_s: float = 5.0) -> Path:
    source = f"anoisesrc=d={duration_s}:c=pink:a=0.2:r=44100"
    ffmpeg("-f", "lavfi", "-i", source, "-ac", "2", "-c:a", encoder, str(path))
    return path


def put(site: Site, path: Path, track_id: str = "t1") -> None:
    """Have a file be that of a track."""
    fields = {"path": str(path), "root": str(site.library)}
    site.database[store.TRACKS].update_one({"_id": track_id}, {"$set": fields})


def probe(path: Path) -> dict[str, str]:
    entries = "stream=codec_name,channels:format=duration"
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", str(path)],
        check=True,
        capture_output=True,
    )
    answer = json.loads(told.stdout)
    return {**answer["streams"][0], **answer["format"]}


def encoders_of(path: Path) -> list[psutil.Process]:
    """Return the running ffmpegs that read a file."""
    found = []
    for each in psutil.process_iter(["name", "cmdline"]):
        if each.info["name"] == "ffmpeg" and f"file:{path}" in (
            each.info["cmdline"] or []
        ):
            found.append(each)
    return found


def n_at_once(*paths: Path) -> int:
    """Return how many run that read one of several files, all at this moment."""
    found = [each for path in paths for each in encoders_of(path)]
    # one that has ended while the others were looked for has not run beside them
    return sum(is_at_work(each) for each in found)


def is_at_work(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(is_so: Callable[[], object], most_s: float = 10.0) -> None:
    end = time.monotonic() + most_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def asking(site: Site, path: str) -> Iterator[http.client.HTTPResponse]:
    """Ask, and hang up at the end of the block, whatever was read."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    cookie = {"Cookie": cookie_header(site.log_in())}
    connection.request("GET", path, headers=cookie)
    answer = connection.getresponse()
    try:
        yield answer
    finally:
        answer.close()
        connection.close()


@pytest.mark.parametrize("name", ENCODERS)
def test_every_kind_becomes_opus_and_can_be_sought_in_from_then_on(
    site: Site, tmp_path: Path, name: str
) -> None:
    put(site, make_sound(site.library / name, *ENCODERS[name]))
    first = site.ask(OPUS)
    assert (first.status, first.headers["content-type"]) == (200, FORMS["opus"].mime)
    assert first.headers["cache-control"] == "no-store"
    (tmp_path / "answer.opus").write_bytes(first.body)
    found = probe(tmp_path / "answer.opus")
    assert found["codec_name"] == "opus"
    assert float(found["duration"]) == pytest.approx(5, abs=0.1)
    part = site.ask(OPUS, headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, first.body[100:200])
    etag = {"If-None-Match": part.headers["etag"]}
    assert site.ask(OPUS, headers=etag).status == 304
    head = site.ask(OPUS, "HEAD")
    assert head.headers["content-length"] == str(len(first.body))


def test_a_track_of_five_minutes_begins_within_a_second(site: Site) -> None:
    put(site, make_sound(site.library / "long.flac", "flac", 300))
    start = time.monotonic()
    with asking(site, OPUS) as answer:
        assert answer.status == 200
        assert len(answer.read(32_000)) == 32_000  # two seconds of music
        assert time.monotonic() - start < 1
        assert len(answer.read()) > 3_000_000


def test_head_makes_nothing(site: Site) -> None:
    path = make_sound(site.library / "a.flac", "flac", 60)
    put(site, path)
    answer = site.ask(OPUS, "HEAD")
    assert (answer.status, answer.headers["content-type"]) == (200, FORMS["opus"].mime)
    assert not transcoded(site).exists()


def transcoded(site: Site) -> Path:
    return site.library.parent / "home" / "transcoded"


def test_many_who_ask_at_once_share_one_encode(site: Site) -> None:
    path = make_sound(site.library / "long.flac", "flac", 120)
    put(site, path)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(site.ask, OPUS) for _ in range(6)]
        most = 0
        while not all(each.done() for each in asked):
            most = max(most, n_at_once(path))
    assert most == 1
    assert len({each.result().body for each in asked}) == 1
    assert len(asked[0].result().body) > 1_200_000
    assert len(list(transcoded(site).iterdir())) == 1


def test_the_encode_ends_when_the_last_who_waits_is_gone(site: Site) -> None:
    path = make_sound(site.library / "long.flac", "flac", 300)
    put(site, path)
    with asking(site, OPUS) as first:
        first.read(1000)
        (process,) = encoders_of(path)
        with asking(site, OPUS) as second:
            second.read(1000)
        # of the other one more is read than lies in the sockets' buffers
        assert len(first.read(1_000_000)) == 1_000_000
        assert process.is_running()
    until(lambda: not process.is_running())
    until(lambda: list(transcoded(site).iterdir()) == [])


def test_as_many_encodes_as_are_set_run_at_once(site: Site) -> None:
    paths = [site.library / f"long{n}.flac" for n in range(3)]
    make_sound(paths[0], "flac", 60)
    for n, path in enumerate(paths):
        if n:
            os.link(paths[0], path)
        put(site, path, f"t{n}")
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(site.ask, f"/media/t{n}?form=opus") for n in range(3)]
        until(lambda: n_at_once(*paths) == 2)
        most = 0
        while not all(each.done() for each in asked):
            most = max(most, n_at_once(*paths))
    assert most == 2
    assert {each.result().status for each in asked} == {200}


def test_the_end_of_the_server_is_the_end_of_its_encodes(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    ours = settings()
    database = store.connect(ours.mongo)
    path = make_sound(tmp_path / "long.flac", "flac", 300)
    track = {"_id": "t1", "path": str(path), "root": str(tmp_path)}
    store.upsert(database, store.TRACKS, [track])
    sink = CollectingSink()
    with ExitStack() as clients:
        with served(ours, sink) as port:
            site = Site(port, sink, database, tmp_path, mongo=ours.mongo)
            answer = clients.enter_context(asking(site, OPUS))
            answer.read(1000)
            (process,) = encoders_of(path)
        assert not process.is_running()
    database.client.close()


def test_who_left_and_the_end_of_the_server_do_not_cut_each_other_off(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    path = make_sound(tmp_path / "long.flac", "flac", 300)
    transcoder = Transcoder(tmp_path / "transcoded", settings().dashboard)

    async def leave_and_end() -> psutil.Process:
        source = File(path, "", path.stat().st_size, "")
        async with (
            transcoder.following(source, "opus") as encode,
            aclosing(encode.blocks()) as blocks,
        ):
            await anext(blocks)
            (process,) = encoders_of(path)
        for _ in range(10):  # until the encode is about to end
            await asyncio.sleep(0)
        await transcoder.close()
        return process

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        process = runner.run(leave_and_end())
        assert not process.is_running()


def test_who_comes_at_the_last_moment_reads_the_whole(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "a.wav", "pcm_s16le", 0.1)
    encode = Encode(tmp_path / "a.part")

    async def follow() -> bytes:
        return b"".join([block async for block in encode.blocks()])

    async def come_late() -> bytes:
        await encode.run(source, FORMS["opus"], 1 << 20)
        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        encode.path.rename(tmp_path / "a.opus")
        await encode.end()
        return await following

    assert asyncio.run(come_late()) == (tmp_path / "a.opus").read_bytes()


def test_a_broken_file_is_a_sentence(site: Site) -> None:
    broken = site.library / "broken.flac"
    broken.write_bytes(b"fLaC" + bytes(5000))
    put(site, broken)
    answer = site.ask(OPUS)
    assert (answer.status, json.loads(answer.body)["error"]) == (
        502,
        {
            "reason": "broken_file",
            "detail": "the file broken.flac has no audio to be read",
        },
    )
    assert list(transcoded(site).iterdir()) == []


def test_a_playlist_that_is_named_like_a_track_opens_nothing(site: Site) -> None:
    make_sound(site.library / "secret.mp3", "libmp3lame")
    playlist = site.library / "list.mp3"
    lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:9", "#EXTINF:5,", "secret.mp3")
    playlist.write_text("\n".join((*lines, "#EXT-X-ENDLIST", "")))
    # such a list is what ffmpeg reads where nothing is forbidden
    ffmpeg("-i", str(playlist), str(site.library / "proof.wav"))
    put(site, playlist)
    assert site.ask(OPUS).status == 502


@pytest.mark.parametrize("form", ["mp3", "", "opus%20-i%20x", "..%2f"])
def test_a_form_that_is_none_is_400(site: Site, form: str) -> None:
    answer = site.ask(f"/media/t1?form={form}")
    assert answer.status == 400
    assert b"unknown_form" in answer.body


@pytest.mark.parametrize("is_there", [False, True])
def test_where_ffmpeg_cannot_be_started_there_is_a_sentence(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    if is_there:  # but is no program
        (site.library / "ffmpeg").touch(0o644)
    monkeypatch.setenv("PATH", str(site.library))
    answer = site.ask(OPUS)
    assert (answer.status, b"install it" in answer.body) == (501, True)


def test_what_no_browser_plays_is_said_to_be_so(site: Site) -> None:
    put(site, make_sound(site.library / "a.wma", "wmav2"))
    answer = site.ask("/media/t1")
    assert (answer.status, b"?form=opus" in answer.body) == (415, True)


def _has(folder: Path, n_files: int) -> bool:
    return len(list(folder.glob("*.opus"))) == n_files


@pytest.mark.browser
@pytest.mark.parametrize("name", ["track.wma", "track.m4a", "track.aiff"])
def test_the_player_plays_what_its_browser_cannot(
    browser: Browser, site: Site, name: str
) -> None:
    put(site, make_sound(site.library / name, *ENCODERS[name]))
    context = browser.new_context()  # whose console may tell of the 415
    for each in site.log_in().cookies():
        cookie = {"name": each["name"], "value": each["value"], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{site.url}/track/t1")
    page.locator('[data-track-id="t1"] [data-do="play"]').first.click()
    until(lambda: "completed" in site.sink.actions(), 20)
    assert page.locator("#player-note").inner_text() == ""
    assert site.sink.actions()[:2] == ["started", "completed"]
    done = site.sink.events[1]
    assert done.track_id == "t1"
    assert done.played_ms == pytest.approx(5000, abs=400)
    context.close()


def test_the_folder_keeps_what_was_used_last(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    ours = settings(dashboard={"port": 0, "transcoded_mb": 1})
    database = store.connect(ours.mongo)
    for n in range(3):  # four tenths of a MiB each
        path = make_sound(tmp_path / f"{n}.flac", "flac", 35)
        track = {"_id": f"t{n}", "path": str(path), "root": str(tmp_path)}
        store.upsert(database, store.TRACKS, [track])
    sink = CollectingSink()
    with served(ours, sink) as port:
        site = Site(port, sink, database, tmp_path, mongo=ours.mongo)

        folder, names = ours.home / "transcoded", list[set[Path]]()
        for n in (0, 1):
            assert site.ask(f"/media/t{n}?form=opus").status == 200
            until(partial(_has, folder, n + 1))
            names.append(set(folder.glob("*.opus")).difference(*names))
        assert "etag" in site.ask("/media/t0?form=opus", "HEAD").headers  # it is used
        assert site.ask("/media/t2?form=opus").status == 200
        until(lambda: not names[1] & set(folder.iterdir()))
        assert names[0] < set(folder.iterdir())
    kept = [each.stat().st_size for each in (ours.home / "transcoded").iterdir()]
    assert sum(kept) <= 1 << 20
    database.client.close()


def test_halves_that_a_killed_server_left_go(tmp_path: Path) -> None:
    old, running = tmp_path / ".part-old", tmp_path / ".part-new"
    for path in (old, running):
        path.write_bytes(bytes(10))
    os.utime(old, (1, 1))
    trim(tmp_path, 5)
    assert list(tmp_path.iterdir()) == [running]


def test_a_changed_file_is_encoded_anew(site: Site) -> None:
    path = make_sound(site.library / "a.flac", "flac")
    put(site, path)
    before = site.ask(OPUS).body
    make_sound(path, "flac", 7)
    assert len(site.ask(OPUS).body) > len(before)


def test_no_word_of_a_path_is_an_option() -> None:
    line = command(Path("/music/-y http:x.mp3"), FORMS["opus"])
    assert "file:/music/-y http:x.mp3" in line
