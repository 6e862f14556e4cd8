"""The local Kafka broker: one node in KRaft mode, on loopback only."""

import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from segue.errors import KafkaUnreachableError, ServiceError
from segue.services.jars import bundle
from segue.services.ports import LOOPBACK, free_port
from segue.services.process import Child, start, wait_until_ready

NAME: Final = "kafka"
PORT_SETTING: Final = "SEGUE_KAFKA_PORT"
_READY_TIMEOUT_S: Final = 60.0
_DEFAULT_PORT: Final = 9092
_ASK_TIMEOUT_MS: Final = 500
_FORMAT_TIMEOUT_S: Final = 60

# One node holds every replica, and no other member of a group has to be waited for.
# After kill -9 a new broker is let in when the session of the one before has run out.
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.bootstrap.servers={host}:{controller_port}
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=4000
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=16777216
"""
_JVM_OPTIONS: Final = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-Xshare:auto")


def launch(home: Path, port: int, java: Path) -> Child:
    """Start the broker, or return the one that runs; it may not be ready yet.

    Parameters
    ----------
    home : Path
        Folder of all state; the broker's data goes to `home/kafka`.
    port : int
        Port of loopback; 0 chooses a free one.
    java : Path
        The `java` that runs it.

    Raises
    ------
    PortInUseError
        When somebody listens on `port`.
    ServiceError
        When the data folder cannot be set up.
    """
    folder = home.resolve() / NAME
    port = port or free_port()
    class_path = f"{bundle(home, NAME)[0].parent}/*"
    properties = _write_properties(folder, port)
    if not (folder / "data" / "meta.properties").exists():
        _format(java, class_path, properties)
    main = ("-cp", class_path, "kafka.Kafka", properties)
    return start(home, NAME, [java, *_JVM_OPTIONS, *main], ports={PORT_SETTING: port})


def wait(child: Child) -> str:
    """Wait until the broker answers; return its `host:port`.

    Raises
    ------
    ServiceError
        With the end of its log, when it does not get ready.
    """
    address = bootstrap_of(child)
    wait_until_ready(child, lambda: answers(address), _READY_TIMEOUT_S)
    return address


def bootstrap_of(child: Child) -> str:
    """Return the `host:port` of a local broker."""
    return f"{LOOPBACK}:{child.ports[PORT_SETTING]}"


def answers(bootstrap: str, timeout_ms: int = _ASK_TIMEOUT_MS) -> bool:
    """Tell whether a broker answers at `bootstrap`, and takes messages."""
    try:
        client = admin(bootstrap, timeout_ms)
    except KafkaUnreachableError:
        return False
    try:
        brokers = client.describe_cluster()["brokers"]
        return any(not broker.get("is_fenced") for broker in brokers)
    except KafkaError:
        return False
    finally:
        client.close()


def admin(bootstrap: str, timeout_ms: int) -> Any:
    """Return an admin client that has reached the broker; the caller closes it.

    Raises
    ------
    KafkaUnreachableError
        When nobody answers within `timeout_ms`.
    """
    clients: list[KafkaNetClient] = []

    def make_client(**config: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**config))
        return clients[0]

    try:
        _require_listener(bootstrap, timeout_ms / 1000)
        return KafkaAdminClient(
            bootstrap_servers=bootstrap,
            bootstrap_timeout_ms=timeout_ms,
            request_timeout_ms=max(timeout_ms, _ASK_TIMEOUT_MS),
            client_id="segue-admin",
            kafka_client=make_client,
        )
    except (KafkaError, OSError, ValueError) as error:
        for client in clients:  # its thread and sockets are nobody else's to close
            client.close()
        raise KafkaUnreachableError(
            f"no Kafka answers at {bootstrap} within {timeout_ms / 1000:g} s; start a "
            "local one with `segue up`, or set SEGUE_KAFKA_BOOTSTRAP to one that runs"
        ) from error


def _require_listener(bootstrap: str, timeout_s: float) -> None:
    """Connect to one of the hosts; the Kafka client leaks a socket where none is."""
    *others, last = [_host_and_port(place) for place in bootstrap.split(",")]
    for place in others:
        with suppress(OSError):
            socket.create_connection(place, timeout_s).close()
            return
    socket.create_connection(last, timeout_s).close()


def _host_and_port(place: str) -> tuple[str, int]:
    host, colon, port = place.strip().rpartition(":")
    return (host.strip("[]"), int(port)) if colon else (port, _DEFAULT_PORT)


def _write_properties(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "server.properties"
    text = _PROPERTIES.format(
        host=LOOPBACK, port=port, controller_port=free_port(), data=folder / "data"
    )
    path.write_text(text, encoding="utf-8")
    return path


def _format(java: Path, class_path: str, properties: Path) -> None:
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(  # noqa: S603 - our own command line
        [
            *(java, "-XX:TieredStopAtLevel=1", "-cp", class_path),
            *("kafka.tools.StorageTool", "format", "--standalone"),
            *("--ignore-formatted", "-t", f"s{cluster_id[1:]}", "-c", properties),
        ],
        capture_output=True,
        text=True,
        timeout=_FORMAT_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise ServiceError(
            f"cannot set up Kafka's data folder {properties.parent / 'data'}; is the "
            f"disk full, or the folder somebody else's? It said:\n{done.stderr[-1500:]}"
        )
