"""What Prometheus is told, read back by its own parser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from segue import store
from segue.clock import system_clock
from segue.settings import Settings
from tests.dashboard.site import CollectingSink, Site, served

Samples = dict[tuple[str, ...], float]


def scraped(site: Site) -> Samples:
    answer = site.ask("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


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


def test_without_mongodb_it_says_503(settings: Callable[..., Settings]) -> None:
    uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"
    ours = settings(mongo={"uri": SecretStr(uri), "timeout_ms": 300})
    sink = CollectingSink()
    with served(ours, sink) as port:
        away = Site(port, sink, store.connect(ours.mongo), ours.home)
        assert away.ask("/metrics").status == 503
        away.database.client.close()
