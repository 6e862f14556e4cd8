"""The whole way: audio file → feature table → plays → list → page → player → Kafka."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pyarrow.dataset
import pytest
import soundfile
from kafka import KafkaConsumer, TopicPartition
from playwright.sync_api import Browser, Page, expect

from segue import store
from segue.clock import system_clock
from segue.events import PlaybackEvent
from segue.library import scan_library
from segue.services import process
from segue.services.ports import free_port
from segue.settings import Settings, to_environment
from segue.submit import run_job
from segue.track_index import TrackIndex, create_track_index
from segue.trained_model import FOLDER, read_model
from streaming.producer import Producer
from tests.conftest import SettingsFactory
from tests.factories import create_event, seconds
from tests.integration.conftest import StreamingJob
from tests.integration.watching_now import assert_now_shows_events_at_once
from tests.streaming import reference

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.browser,
    pytest.mark.slow,
]

LISTENER = "ada"
N_PER_STYLE = 6
N_HEARD = 3
WAIT_MS = 30_000


def write_music(folder: Path, rng: np.random.Generator) -> None:
    """Write two styles, of six tracks each: low humming, and hissing."""
    rate_hz, duration_s = 22_050, 12
    time_s = np.arange(rate_hz * duration_s) / rate_hz
    for number in range(N_PER_STYLE):
        tones = [np.sin(2 * np.pi * f * time_s) for f in rng.uniform(80, 300, 3)]
        write_track(folder / f"hum {number}.flac", sum(tones) / 4, "Hum", rate_hz)
        hiss = np.diff(rng.normal(0, 0.1, len(time_s) + 1)) * (1 + tones[0]) / 2
        write_track(folder / f"hiss {number}.ogg", hiss, "Hiss", rate_hz)


def write_track(path: Path, samples: object, genre: str, rate_hz: int) -> None:
    with soundfile.SoundFile(path, "w", rate_hz, 1) as file:
        file.title, file.artist = path.stem, f"The {genre}s"
        file.album, file.genre = genre, genre
        file.write(samples)


def serve_dashboard(settings: Settings) -> str:
    """Run `segue dashboard` as a process of its own; return its address."""
    port = free_port()
    chosen = settings.dashboard.model_copy(update={"port": port})
    child = process.start(
        settings.home,
        "dashboard",
        [sys.executable, "-m", "segue", "dashboard"],
        {
            **os.environ,
            **to_environment(settings.model_copy(update={"dashboard": chosen})),
        },
    )
    url = f"http://127.0.0.1:{port}"
    process.wait_until_ready(child, lambda: answers(f"{url}/healthz"), 60)
    return url


def log_in(page: Page, url: str, settings: Settings) -> None:
    """Give the listener, who has played, an account, and log in by the form."""
    segue(
        settings, "account", "add", LISTENER, "--password-stdin", said="seven swans\n"
    )
    page.goto(url)
    page.get_by_label("Name").fill(LISTENER)
    page.get_by_label("Password").fill("seven swans")
    page.get_by_role("button", name="Log in").click()


def segue(settings: Settings, *told: str, said: str = "") -> None:
    """Run a command as somebody does at a terminal."""
    subprocess.run(
        [sys.executable, "-m", "segue", *told],
        env={**os.environ, **to_environment(settings)},
        input=said,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def is_prometheus_told(settings: Settings) -> bool:
    """Whether the job itself tells of its queries, once their first batch is over."""
    with urlopen(f"http://127.0.0.1:{settings.stream.metrics_port}/metrics") as answer:
        told = answer.read().decode()
    topic = f'query="taste",topic="{settings.kafka.events_topic}"'
    return f'segue_partition_waiting_messages{{partition="0",{topic}}}' in told


# of docs/architecture.md, "Taste space and track index"
WEIGHTS = {
    "timbre": 1.0,
    "mfcc_std": 1.0,
    "mfcc_delta_std": 1.0,
    "contrast": 0.5,
    "loudness": 0.35,
    "centroid": 0.25,
    "onset": 0.2,
    "chroma": 0.15,
    "tempo": 0.03,
}


def index_by_numpy(home: Path) -> TrackIndex:
    """Return points and hub scales, worked out by hand from the Parquet table."""
    (folder,) = (home / "features").glob("*/tracks")
    table = pyarrow.dataset.dataset(folder).to_table().sort_by("track_id").to_pydict()
    ids = table["track_id"]
    blocks = {name: np.array(table[name], dtype=np.float64) for name in WEIGHTS}
    z = np.hstack(
        [
            (block - block.mean(axis=0))
            / block.std(axis=0)
            * np.sqrt(WEIGHTS[name] / block.shape[1])
            for name, block in blocks.items()
        ]
    )
    variances, axes = np.linalg.eigh(z.T @ z / len(z))
    strong = np.argsort(-variances)[:50]
    strong = strong[variances[strong] > 1e-6 * variances.max()]
    points = z @ axes[:, strong] / variances[strong] ** 0.25
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)

    away = 1 - unit @ unit.T
    np.fill_diagonal(away, np.inf)
    n_neighbours = min(50, max(1, len(ids) // 8))
    distances = np.sort(away, axis=1)[:, :n_neighbours].mean(axis=1)
    scales = np.clip(distances / np.median(distances), 0.1, 10)

    vectors, float_scales = unit.astype(np.float32), scales.astype(np.float32)
    return create_track_index("by hand", ids, vectors, float_scales)


def assert_as_by_hand(
    job: StreamingJob, found: store.Document, plays: list[PlaybackEvent]
) -> None:
    """See that order and scores of a list are those of plain NumPy."""
    index, settings = index_by_numpy(job.settings.home), job.settings.taste
    taste = job.database[store.TASTES].find_one({"_id": LISTENER})
    assert taste is not None
    seeds = [seed["track_id"] for seed in taste["seeds"]]
    heard = {play.track_id for play in plays}
    assert heard.issuperset(seeds)
    horizons = reference.horizons_of(plays, index, settings)
    by_hand = reference.scores_of(horizons, seeds, index, settings)
    seed = reference.seed_of(LISTENER, plays)
    expected = reference.list_of(by_hand, heard, index, settings, seed)
    assert [item["track_id"] for item in found["items"]] == [row[0] for row in expected]
    scores = [item["score"] for item in found["items"]]
    assert scores == pytest.approx([row[1] for row in expected], abs=1e-5)


def assert_hums_lead(items: list[store.Document], titles: dict[str, str]) -> None:
    """See that the rest of one style comes first; one place of twenty goes by lot."""
    is_hum = [titles[item["track_id"]].startswith("hum") for item in items]
    assert sum(is_hum) == N_PER_STYLE - N_HEARD
    last = max(place for place, each in enumerate(is_hum) if each)
    others = [
        item for item, each in zip(items[:last], is_hum, strict=False) if not each
    ]
    assert all(item["explored"] for item in others)


def actions_in_kafka(settings: Settings, track_id: str) -> list[str]:
    """Return the actions of the player's own events about a track."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap)
    topic = settings.kafka.events_topic
    parts = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
    consumer.assign(parts)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(parts)
    found = []
    while any(consumer.position(part) < ends[part] for part in parts):
        for records in consumer.poll(timeout_ms=500).values():
            found += [json.loads(record.value) for record in records]
    consumer.close()
    return [
        event["action"]
        for event in found
        if event["track_id"] == track_id and event["source"]["surface"] == "player"
    ]


def wait_for_action(job: StreamingJob, track_id: str, action: str) -> None:
    job.wait_for(
        f"{action} in Kafka",
        lambda: action in actions_in_kafka(job.settings, track_id),
    )


def test_plays_of_one_style_become_a_list_that_the_page_shows_and_plays(
    settings: SettingsFactory,
    streaming_job: Callable[[Settings], StreamingJob],
    browser: Browser,
    tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    # the files have few artists, and the list by hand knows none
    free = {"max_per_artist": 100, "max_per_album": 100}
    ready = settings(topics=True, taste=free, stream={"metrics_port": free_port()})
    job = streaming_job(ready)
    music = tmp_path / "music"
    music.mkdir()
    write_music(music, rng)
    covers = tmp_path / "covers"
    scan_library(music, job.database, system_clock, print, covers=covers)
    run_job(ready, "features", [str(music)], print)
    job.start()

    humming = job.database[store.TRACKS].find({"genre": "Hum"}).sort("title")
    heard = [track["_id"] for track in humming.limit(N_HEARD)]
    now = system_clock()
    plays = [
        create_event(track_id=track_id, user_id=LISTENER, at=now - seconds(n / 1000))
        for n, track_id in enumerate(heard)
    ]
    with Producer(ready.kafka, ready.home / "spool") as producer:
        producer.publish(*plays)

    newest = now.replace(microsecond=now.microsecond // 1000 * 1000)
    whole = {"_id": LISTENER, "newest_event_at": newest}
    found = job.wait_for(
        "list", lambda: job.database[store.RECOMMENDATIONS].find_one(whole)
    )
    assert_as_by_hand(job, found, plays)
    titles = {t["_id"]: t["title"] for t in job.database[store.TRACKS].find()}
    listed = [titles[item["track_id"]] for item in found["items"]]
    assert_hums_lead(found["items"], titles)

    job.wait_for("figures", lambda: is_prometheus_told(ready))
    page, url = browser.new_page(), serve_dashboard(ready)
    log_in(page, url, ready)
    rows = page.locator("#for-you [data-track-id] .title > :first-child")
    expect(rows.first).to_have_text(listed[0], timeout=WAIT_MS)
    assert rows.all_text_contents() == listed

    first = found["items"][0]["track_id"]
    page.locator("#for-you li:nth-child(1) [data-do=play]").click()
    expect(page.locator("#player")).to_have_attribute("data-state", "playing")
    wait_for_action(job, first, "started")
    page.keyboard.press("l")
    wait_for_action(job, first, "liked")
    page.locator("#player [data-do=next]").click()
    wait_for_action(job, first, "skipped")

    # the skip moves the list on the page, without a reload, to what MongoDB holds
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        stored = job.database[store.RECOMMENDATIONS].find_one({"_id": LISTENER})
        assert stored is not None
        wanted = [titles[item["track_id"]] for item in stored["items"]]
        if titles[first] not in wanted and rows.all_text_contents() == wanted:
            break
        time.sleep(0.1)
    assert titles[first] not in wanted
    assert rows.all_text_contents() == wanted
    assert_now_follows(job, page, url, titles)
    page.close()
    assert_a_model_has_a_part_in_the_next_list(job, heard)


def assert_now_follows(
    job: StreamingJob, page: Page, url: str, titles: dict[str, str]
) -> None:
    """See that an analyst's pages show how the stream does, and what happens."""
    segue(job.settings, "account", "role", LISTENER, "analyst")
    page.goto(f"{url}/analytics/stream")
    line = page.locator("#fresh .verdict")
    expect(line).to_contain_text("Is the list fresh?", timeout=WAIT_MS)
    # a list of what was heard before, and one of what was done on the page, at least
    delays = job.database[store.LIST_DELAYS].find()
    assert sum(n for minute in delays for n in minute["n"].values()) > 1
    minutes = list(job.database[store.STREAM_MINUTES].find({"query": "taste"}))
    assert sum(minute["n_rows"] for minute in minutes) >= N_HEARD
    assert any(minute["duration_ms"].get("addBatch") for minute in minutes)
    with Producer(job.settings.kafka, job.settings.home / "spool") as producer:
        named = [*titles.items()]
        assert_now_shows_events_at_once(page, url, producer, job.database, named)


def assert_a_model_has_a_part_in_the_next_list(
    job: StreamingJob, heard: list[str]
) -> None:
    """Train one of what is archived; the job that runs takes it."""
    run_job(job.settings, "train", [], print)
    model = read_model(job.settings.home / FOLDER)
    assert set(heard) <= set(model.track_ids)
    with Producer(job.settings.kafka, job.settings.home / "spool") as producer:
        again = create_event(track_id=heard[0], user_id=LISTENER, at=system_clock())
        producer.publish(again)
    by_model = {"_id": LISTENER, "model_version": model.version}
    listed = job.wait_for(
        "list by the model",
        lambda: job.database[store.RECOMMENDATIONS].find_one(by_model),
    )
    for item in listed["items"]:
        assert sum(item["parts"].values()) == pytest.approx(item["score"], abs=1e-6)
