"""Both services for real: start, ask, crash, stop."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaProducer
from pymongo import MongoClient

from segue import services
from segue.errors import (
    KafkaUnreachableError,
    MongoUnreachableError,
    PortInUseError,
    ServiceError,
)
from segue.services import process
from segue.services.ports import free_port, port_is_free
from segue.services.topics import ensure_topics
from segue.settings import Settings

Lines = list[str]


@pytest.fixture
def home(tmp_path: Path, jars: Path) -> Iterator[Path]:
    (tmp_path / "jars").symlink_to(jars)
    yield tmp_path
    for name in process.names(tmp_path):
        process.stop(tmp_path, name)


def local(home: Path, kafka_port: int = 0, mongo_port: int = 0) -> Settings:
    return Settings.model_validate(
        {"home": home, "kafka": {"port": kafka_port}, "mongo": {"port": mongo_port}}
    )


def ports_of(home: Path) -> list[int]:
    children = [process.find(home, name) for name in process.names(home)]
    return [port for child in children if child for port in child.ports.values()]


def states(settings: Settings) -> dict[str, str]:
    return {row.name: row.state for row in services.status(settings)}


@pytest.mark.kafka
@pytest.mark.mongo
@pytest.mark.slow
def test_up_twice_status_and_down(home: Path) -> None:
    settings = local(home, free_port(), free_port())
    assert states(settings) == {"kafka": "stopped", "mongo": "stopped"}

    lines: Lines = []
    ready = services.up(settings, lines.append)
    assert ready.kafka.bootstrap == f"127.0.0.1:{settings.kafka.port}"
    assert ready.mongo.uri is not None
    assert f"127.0.0.1:{settings.mongo.port}" in ready.mongo.uri.get_secret_value()
    assert sorted(line.split(" at ")[0] for line in lines) == [
        "kafka: started",
        "mongo: started",
    ]
    services.require_reachable(ready)
    assert services.with_endpoints(settings) == ready

    lines.clear()
    assert services.up(settings, lines.append) == ready
    assert all("already running" in line for line in lines)

    rows = services.status(settings)
    assert {row.state for row in rows} == {"running"}
    assert all(row.answers for row in rows)
    pids = [row.pid for row in rows]

    lines.clear()
    services.down(settings, lines.append)
    assert sorted(lines) == ["kafka stopped", "mongo stopped"]
    assert not any(psutil.pid_exists(pid) for pid in pids if pid is not None)
    assert port_is_free(settings.kafka.port)
    assert port_is_free(settings.mongo.port)
    assert states(settings) == {"kafka": "stopped", "mongo": "stopped"}


@pytest.mark.kafka
@pytest.mark.mongo
@pytest.mark.slow
def test_after_kill_9_both_start_again_on_other_ports_with_their_data(
    home: Path,
) -> None:
    settings = local(home)
    first = services.up(settings, print)
    ensure_topics(first, print)
    assert first.mongo.uri is not None
    with MongoClient[dict[str, int]](first.mongo.uri.get_secret_value()) as client:
        client.segue.kept.insert_one({"_id": 1})
    before = ports_of(home)

    for name in process.names(home):
        child = process.find(home, name)
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while states(settings) != {"kafka": "crashed", "mongo": "crashed"}:
        assert time.monotonic() < deadline
    lines: Lines = []
    again = services.up(settings, lines.append)

    assert not set(ports_of(home)) & set(before)
    assert all("started" in line for line in lines)
    lines.clear()
    ensure_topics(again, lines.append)
    assert all("there, as it should be" in line for line in lines)
    with KafkaProducer(bootstrap_servers=again.kafka.bootstrap) as producer:
        producer.send(again.kafka.events_topic, b"{}").get(timeout=30)
    assert again.mongo.uri is not None
    with MongoClient[dict[str, int]](again.mongo.uri.get_secret_value()) as client:
        assert client.segue.kept.count_documents({}) == 1
        with client.segue.kept.watch():  # change streams need the replica set
            pass


@pytest.mark.kafka
@pytest.mark.mongo
def test_a_used_port_is_one_clear_error(home: Path, mongo_uri: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        settings = Settings.model_validate(
            {"home": home, "kafka": {"port": port}, "mongo": {"uri": mongo_uri}}
        )
        with pytest.raises(PortInUseError, match=f"port {port} .*SEGUE_KAFKA_PORT"):
            services.up(settings, print)


@pytest.mark.kafka
def test_a_service_that_crashes_while_starting_shows_its_log(
    home: Path, kafka_bootstrap: str
) -> None:
    """A file stands where mongod wants its folder."""
    (home / "mongo").mkdir()
    (home / "mongo" / "journal").write_text("no folder")
    settings = Settings.model_validate(
        {"home": home, "kafka": {"bootstrap": kafka_bootstrap}, "mongo": {"port": 0}}
    )
    with pytest.raises(ServiceError, match=r"mongo crashed while starting.*mongo\.log"):
        services.up(settings, print)
    assert states(settings)["mongo"] == "crashed"


@pytest.mark.kafka
@pytest.mark.mongo
def test_the_users_own_services_are_used_and_none_is_started(
    tmp_path: Path, kafka_bootstrap: str, mongo_uri: str
) -> None:
    settings = Settings.model_validate(
        {
            "home": tmp_path,
            "kafka": {"bootstrap": kafka_bootstrap},
            "mongo": {"uri": mongo_uri},
        }
    )
    lines: Lines = []
    assert services.up(settings, lines.append) == settings
    assert all("your own" in line for line in lines)
    assert len(lines) == 2
    assert process.names(tmp_path) == []
    assert services.with_endpoints(settings) == settings
    assert states(settings) == {"kafka": "external", "mongo": "external"}
    lines.clear()
    services.down(settings, lines.append)
    assert "nothing to stop" in lines[0]
    services.require_reachable(settings)


def test_an_unreachable_kafka_is_one_clear_error_in_time() -> None:
    settings = Settings.model_validate(
        {"kafka": {"bootstrap": "127.0.0.1:1", "timeout_ms": 500}}
    )
    start = time.monotonic()
    with pytest.raises(
        KafkaUnreachableError, match=r"no Kafka answers at 127\.0\.0\.1:1"
    ):
        services.require_reachable(settings)
    assert time.monotonic() - start < 3


def test_a_listener_that_is_no_kafka_is_unreachable_in_time() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        bootstrap = f"127.0.0.1:{server.getsockname()[1]}"
        settings = Settings.model_validate(
            {"kafka": {"bootstrap": bootstrap, "timeout_ms": 500}}
        )
        start = time.monotonic()
        with pytest.raises(KafkaUnreachableError):
            services.require_reachable(settings)
    assert time.monotonic() - start < 5


def test_an_unreachable_mongo_is_one_clear_error_without_the_password() -> None:
    uri = "mongodb://ada:geheim@127.0.0.1:1/?replicaSet=rs"
    settings = Settings.model_validate({"mongo": {"uri": uri, "timeout_ms": 500}})
    start = time.monotonic()
    with pytest.raises(MongoUnreachableError) as caught:
        services.require_reachable(settings)
    assert time.monotonic() - start < 5
    assert "mongodb://***@127.0.0.1:1/" in str(caught.value)
    assert "geheim" not in str(caught.value)
    rows = {row.name: row for row in services.status(settings)}
    assert (rows["mongo"].state, rows["mongo"].answers) == ("external", False)
    assert "geheim" not in repr(rows)


def test_without_endpoints_the_message_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(KafkaUnreachableError, match="segue up"):
        services.with_endpoints(settings)
    own_kafka = settings.kafka.model_copy(update={"bootstrap": "127.0.0.1:1"})
    with pytest.raises(MongoUnreachableError, match="segue up"):
        services.with_endpoints(settings.model_copy(update={"kafka": own_kafka}))


def test_down_also_stops_what_the_demo_started(tmp_path: Path) -> None:
    child = process.start(tmp_path, "simulator", ["sleep", "600"])
    settings = Settings(home=tmp_path)
    assert states(settings)["simulator"] == "running"
    lines: Lines = []
    services.down(settings, lines.append)
    assert lines == ["simulator stopped"]
    assert not child.is_running
