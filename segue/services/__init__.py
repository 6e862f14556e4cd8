"""The broker and the document store of one machine.

What the user has not set (`SEGUE_KAFKA_BOOTSTRAP`, `SEGUE_MONGO_URI`) is started
here, on loopback, with its data below `settings.home`. Everything that was started
from one home is listed and stopped from there, too.
"""

from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from segue.errors import KafkaUnreachableError, MongoUnreachableError, SettingsError
from segue.services import kafka, mongo, process
from segue.services.jars import resolve_jars
from segue.services.java import find_java
from segue.settings import Settings

__all__ = [
    "ServiceStatus",
    "down",
    "require_home",
    "require_reachable",
    "status",
    "up",
    "with_endpoints",
    "with_kafka",
]

Report = Callable[[str], None]
State = Literal["running", "stopped", "crashed", "external"]
_SERVICES = (kafka.NAME, mongo.NAME)


@dataclass(frozen=True)
class ServiceStatus:
    """How one service is.

    Attributes
    ----------
    name : str
        `kafka`, `mongo`, or the name of a process that the demo started.
    state : str
        `running`, `stopped`, `crashed`, or `external` for the user's own.
    pid : int, optional
        Of a local process.
    address : str, optional
        Where it answers; never a password.
    detail : str
        What to know about it.
    answers : bool
        Whether it was asked and answered; only Kafka and MongoDB are asked.
    """

    name: str
    state: State
    pid: int | None = None
    address: str | None = None
    detail: str = ""
    answers: bool = False


def up(settings: Settings, report: Report) -> Settings:
    """Start what the user has not set; return settings that name both endpoints.

    What runs already is reported and left as it is.

    Raises
    ------
    ServiceError
        When one cannot be started, or the user's own does not answer.
    MissingProgramError
        When Java or `mongod` is not on the machine.
    """
    home = settings.home
    require_home(home)
    with process.locked(home, "up"), ThreadPoolExecutor(2) as pool:
        kafka_up = pool.submit(_kafka_up, settings, report)
        mongo_up = pool.submit(_mongo_up, settings, report)
        return _with(settings, kafka_up.result(), mongo_up.result())


def down(
    settings: Settings, report: Report, keep: Container[str] = frozenset()
) -> None:
    """Stop what was started from this home, but for `keep`; the youngest first."""
    names = [name for name in process.names(settings.home) if name not in keep]
    if not names:
        report(f"nothing to stop: nothing was started from {settings.home}")
    for name in reversed(names):
        stopped = process.stop(settings.home, name)
        report(f"{name} stopped" if stopped else f"{name} had already ended")


def status(settings: Settings) -> list[ServiceStatus]:
    """Ask each service how it is."""
    others = [name for name in process.names(settings.home) if name not in _SERVICES]
    return [
        _kafka_status(settings),
        _mongo_status(settings),
        *(_child_status(settings.home, name) for name in others),
    ]


def require_home(home: Path) -> None:
    """Make the folder of all state.

    Raises
    ------
    SettingsError
        When it cannot be made or written to.
    """
    try:
        (home / "run").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"SEGUE_HOME {home} cannot be used ({error.strerror}); give a folder that "
            "you may write to"
        ) from None


def with_kafka(settings: Settings) -> Settings:
    """Return settings that name the user's own broker, or the one that runs here.

    Raises
    ------
    KafkaUnreachableError
        When none is set and none runs.
    """
    bootstrap = _kafka_address(settings)
    if bootstrap is None:
        raise KafkaUnreachableError(
            "no Kafka is set and none was started here; run `segue up`, or set "
            "SEGUE_KAFKA_BOOTSTRAP to one that runs"
        )
    kafka = settings.kafka.model_copy(update={"bootstrap": bootstrap})
    return settings.model_copy(update={"kafka": kafka})


def with_endpoints(settings: Settings) -> Settings:
    """Return settings that name the user's own endpoints, or those that run here.

    Nothing is asked over the network; see :func:`require_reachable`.

    Raises
    ------
    KafkaUnreachableError, MongoUnreachableError
        When none is set and none runs.
    """
    settings = with_kafka(settings)
    settings = with_mongo_if_any(settings)
    if settings.mongo.uri is None:
        raise MongoUnreachableError(
            "no MongoDB is set and none was started here; run `segue up`, or set "
            "SEGUE_MONGO_URI to a replica set that runs"
        )
    return settings


def with_mongo_if_any(settings: Settings) -> Settings:
    """Return settings that name the MongoDB that is set or runs here, if there is one.

    Nothing is asked over the network.
    """
    uri = _mongo_address(settings)
    if uri is None:
        return settings
    mongo = settings.mongo.model_copy(update={"uri": SecretStr(uri)})
    return settings.model_copy(update={"mongo": mongo})


def require_reachable(settings: Settings) -> None:
    """Check that the endpoints which `settings` names answer.

    Raises
    ------
    KafkaUnreachableError, MongoUnreachableError
        When one does not within the timeout of the settings.
    """
    if settings.kafka.bootstrap is not None:
        kafka.admin(settings.kafka.bootstrap, settings.kafka.timeout_ms).close()
    if settings.mongo.uri is not None:
        mongo.require(settings.mongo.uri.get_secret_value(), settings.mongo.timeout_ms)


def _kafka_up(settings: Settings, report: Report) -> str:
    if settings.kafka.bootstrap is not None:
        kafka.admin(settings.kafka.bootstrap, settings.kafka.timeout_ms).close()
        report(f"kafka: your own at {settings.kafka.bootstrap}")
        return settings.kafka.bootstrap
    child = _running(settings.home, kafka.NAME)
    verb = "already running"
    if child is None:
        java = find_java(settings.spark.java_home)
        resolve_jars(settings.home, java, report, settings.spark.ivy_settings)
        child, verb = kafka.launch(settings.home, settings.kafka.port, java), "started"
    address = kafka.wait(child)
    report(f"kafka: {verb} at {address} (process {child.pid})")
    return address


def _mongo_up(settings: Settings, report: Report) -> str:
    if settings.mongo.uri is not None:
        uri = settings.mongo.uri.get_secret_value()
        mongo.require(uri, settings.mongo.timeout_ms)
        report(f"mongo: your own at {mongo.mask(uri)}")
        return uri
    child = _running(settings.home, mongo.NAME)
    verb = "already running"
    if child is None:
        child, verb = mongo.launch(settings.home, settings.mongo.port), "started"
    uri = mongo.wait(child)
    report(f"mongo: {verb} at {uri} (process {child.pid})")
    return uri


def _running(home: Path, name: str) -> process.Child | None:
    child = process.find(home, name)
    return child if child is not None and child.is_running else None


def _kafka_address(settings: Settings) -> str | None:
    child = _running(settings.home, kafka.NAME)
    local = None if child is None else kafka.bootstrap_of(child)
    return settings.kafka.bootstrap or local


def _mongo_address(settings: Settings) -> str | None:
    if settings.mongo.uri is not None:
        return settings.mongo.uri.get_secret_value()
    child = _running(settings.home, mongo.NAME)
    return None if child is None else mongo.uri_of(child)


def _kafka_status(settings: Settings) -> ServiceStatus:
    address = _kafka_address(settings)
    if address is None:
        return _child_status(settings.home, kafka.NAME)
    answers = kafka.answers(address, settings.kafka.timeout_ms)
    own = settings.kafka.bootstrap is not None
    return _asked(settings.home, kafka.NAME, address, own=own, answers=answers)


def _mongo_status(settings: Settings) -> ServiceStatus:
    uri = _mongo_address(settings)
    if uri is None:
        return _child_status(settings.home, mongo.NAME)
    answers = mongo.answers(uri, settings.mongo.timeout_ms)
    own = settings.mongo.uri is not None
    return _asked(settings.home, mongo.NAME, mongo.mask(uri), own=own, answers=answers)


def _asked(
    home: Path, name: str, address: str, *, own: bool, answers: bool
) -> ServiceStatus:
    detail = "answers" if answers else "does not answer"
    if own:
        return ServiceStatus(name, "external", None, address, detail, answers)
    child = process.find(home, name)
    pid = None if child is None else child.pid
    return ServiceStatus(name, "running", pid, address, detail, answers)


def _child_status(home: Path, name: str) -> ServiceStatus:
    child = process.find(home, name)
    if child is None:
        return ServiceStatus(name, "stopped")
    port = next(iter(child.ports.values()), None)
    address = None if port is None else f"127.0.0.1:{port}"
    if child.is_running:
        return ServiceStatus(name, "running", child.pid, address)
    return ServiceStatus(name, "crashed", None, None, f"see {child.log}")


def _with(settings: Settings, bootstrap: str, uri: str) -> Settings:
    return settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(update={"bootstrap": bootstrap}),
            "mongo": settings.mongo.model_copy(update={"uri": SecretStr(uri)}),
        }
    )
