"""What Prometheus is told, read back by its own parser."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from websockets.sync.client import connect

from dashboard.live import FOR_YOU, HORIZONS
from dashboard.measured import kind_of
from segue import store
from segue.clock import system_clock
from segue.settings import Settings
from tests.dashboard.api.test_accounts import ROUTES
from tests.dashboard.site import ADA, CollectingSink, Site, cookie_header, served

Samples = dict[tuple[str, ...], float]
_GRAFANA = Path(__file__).parents[2] / "conf" / "grafana" / "segue.json"
_ANSWERS = "segue_http_seconds_count"


def scraped(site: Site) -> Samples:
    answer = site.ask("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


@contextmanager
def looking(site: Site, page: str) -> Iterator[None]:
    """Look at a page's view until the end."""
    cookie = {"Cookie": cookie_header(site.log_in(ADA))}
    address = f"ws://127.0.0.1:{site.port}/ws/live"
    with connect(address, additional_headers=cookie, proxy=None) as socket:
        socket.send(json.dumps({"page": page}))
        while "for-you" not in (told := socket.recv(timeout=20)):
            if page != FOR_YOU and "home-now" in told:
                break
        yield


@pytest.mark.mongo
def test_a_scrape_tells_batches_counts_and_what_waits(site: Site) -> None:
    now = system_clock()
    taste = {
        "_id": "taste",
        "batch_id": 7,
        "n_input_rows": 41,
        "n_waiting": 12,
        "input_rows_per_s": 98.5,
        "processed_rows_per_s": 110.0,
        "duration_ms": {"addBatch": 250, "triggerExecution": 400},
        "state_rows": 500,
        "state_bytes": 1_000_000,
        "n_dropped_by_watermark": 0,
        "watermark": now - timedelta(seconds=1500),
        "updated_at": now - timedelta(seconds=3),
    }
    intake = {"_id": "intake", "state": "running", "updated_at": now}
    store.upsert(site.database, store.STREAM_PROGRESS, [taste, intake])
    counts = [
        {"_id": "t|0|0", "n_read": 90, "n_late": 2, "rejected": {"not_json": 3}},
        {"_id": "t|0|90", "n_read": 10, "n_late": 0, "rejected": {}},
    ]
    store.upsert(site.database, store.REJECTED_COUNTS, counts)
    store.upsert(site.database, store.LISTS_DUE, [{"_id": "ada"}, {"_id": "bob"}])
    samples = scraped(site)
    assert samples["segue_mongo_up",] == 1
    assert samples["segue_lists_due",] == 2
    assert samples["segue_messages_read_total",] == 100
    assert samples["segue_messages_late_total",] == 2
    assert samples["segue_messages_rejected_total", "not_json"] == 3
    assert samples["segue_batch", "taste"] == 7
    assert samples["segue_waiting_messages", "taste"] == 12
    assert samples["segue_batch_seconds", "addBatch", "taste"] == 0.25
    assert samples["segue_watermark_lag_seconds", "taste"] == pytest.approx(1500, abs=9)
    assert samples["segue_report_age_seconds", "taste"] == pytest.approx(3, abs=9)
    # a query that has taken no batch yet only lives
    assert ("segue_batch", "intake") not in samples
    assert ("segue_report_age_seconds", "intake") in samples


@pytest.mark.mongo
def test_nothing_is_posted_to_it_and_no_other_site_names_it(site: Site) -> None:
    assert site.ask("/metrics", "POST", b"{}").status == 404
    assert site.ask("/metrics", headers={"Host": "evil.example"}).status == 400


def test_without_mongodb_it_tells_of_itself(
    settings: Callable[..., Settings],
) -> None:
    uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"
    ours = settings(mongo={"uri": SecretStr(uri), "timeout_ms": 300})
    sink = CollectingSink()
    with served(ours, sink) as port:
        away = Site(port, sink, store.connect(ours.mongo), ours.home)
        away.ask("/healthz")
        samples = scraped(away)
        away.database.client.close()
    assert samples["segue_mongo_up",] == 0
    assert samples["segue_http_seconds_count", "healthz", "503"] == 1


@pytest.mark.mongo
def test_answers_are_timed_by_few_kinds(site: Site) -> None:
    for path in ("/", "/artist/none", "/api/recommendations/ada", "/x/y", "/api/z"):
        site.ask(path)
    samples = scraped(site)
    counted = "segue_http_seconds_count"
    n = {
        tuple(labels): value
        for (name, *labels), value in samples.items()
        if name == counted
    }
    assert n == {
        ("page", "200"): 1,
        ("page", "404"): 1,
        ("api/recommendations", "200"): 1,
        ("other", "404"): 2,
    }
    buckets = [k for k in samples if k[0] == "segue_http_seconds_bucket"]
    assert len(buckets) == 10 * len(n)
    assert samples["segue_dashboard_process_resident_memory_bytes",] > 1e7


@pytest.mark.mongo
def test_who_looks_is_counted(site: Site) -> None:
    with looking(site, FOR_YOU), looking(site, HORIZONS):
        samples = scraped(site)
        # each socket has the view that tells the player of new lists, too
        assert samples["segue_live_views",] == 3
        assert samples["segue_live_subscribers",] == 4


def test_each_route_of_the_api_has_a_kind_of_its_own() -> None:
    told = {path.split("?")[0] for _, path, _ in ROUTES if path.startswith("/api/")}
    assert told
    assert not [path for path in told if kind_of(path) == "other"]


@pytest.mark.mongo
def test_grafana_asks_for_figures_that_there_are(site: Site) -> None:
    now = system_clock()
    waiting = [{"topic": "playback.events", "partition": 0, "n": 4}]
    fields = {"_id": "taste", "updated_at": now, "watermark": now, "waiting": waiting}
    store.upsert(site.database, store.STREAM_PROGRESS, [fields])
    counts = {"_id": "t|0|0", "n_read": 9, "n_late": 2, "rejected": {"not_json": 3}}
    store.upsert(site.database, store.REJECTED_COUNTS, [counts])
    site.ask("/")
    told = site.ask("/metrics").body.decode()
    there = {line.split()[2] for line in told.splitlines() if line.startswith("# TYPE")}
    panels = json.loads(_GRAFANA.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    asked = {name for query in queries for name in re.findall(r"segue_\w+", query)}
    # the streaming job tells of its own process
    asked.discard("segue_stream_process_resident_memory_bytes")
    assert len(asked) > 12
    assert {re.sub("_(bucket|count)$", "", name) for name in asked} <= there
    assert len({panel["id"] for panel in panels}) == len(panels)
