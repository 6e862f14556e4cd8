"""Fixtures that every test may use; the services are real and start on free ports.

A test that needs Java, Kafka or MongoDB skips where the machine has none, and fails
instead where `SEGUE_REQUIRE_SERVICES=1`.
"""

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

import hypothesis
import numpy as np
import psutil
import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from segue.browser import BROWSER_FLAGS, find_browser
from segue.errors import MissingProgramError, SegueError
from segue.services import kafka, mongo, process
from segue.services.jars import bundle, resolve_jars
from segue.services.java import find_java
from segue.services.topics import ensure_topics
from segue.settings import Settings, load_settings
from tests.prepared import PreparedDatabases

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pyspark.sql import SparkSession

# a busy machine takes what time it takes
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

# no Java of the tests runs long enough for its second compiler to pay: a job's first
# lists come after 31 s instead of 40, for 39 s of work instead of 61, on two cores
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# of what a `mongod` of the tests takes, about 0.3 GiB, some are there at a time
MEMORY_ROOM_BYTES = 8 * 2**30
BROWSER_TIMEOUT_MS = 20_000
CHECKOUT = Path(__file__).resolve().parent.parent
SettingsFactory = Callable[..., Settings]


@pytest.fixture(scope="session")
def java() -> Path:
    try:
        return find_java(load_settings(os.environ).spark.java_home)
    except MissingProgramError as error:
        _missing(error)


@pytest.fixture(scope="session")
def jars(java: Path) -> Path:
    """Folder of the jars; all runs of one checkout share it."""
    try:
        resolve_jars(CHECKOUT / "var", java, print)
    except SegueError as error:
        _missing(error)
    return CHECKOUT / "var" / "jars"


@pytest.fixture(scope="session")
def services_home(
    tmp_path_factory: pytest.TempPathFactory, jars: Path
) -> Iterator[Path]:
    """A home for the services of this run; what was started from it ends with it."""
    home = tmp_path_factory.mktemp("services")
    (home / "jars").symlink_to(jars)
    yield home
    for name in reversed(process.names(home)):
        process.stop(home, name)


@pytest.fixture(scope="session")
def kafka_bootstrap(services_home: Path, java: Path) -> str:
    return kafka.wait(kafka.launch(services_home, 0, java))


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """A `mongod` whose data lie in memory where they may: it waits for no disk."""
    with TemporaryDirectory(prefix="segue-tests-", dir=_folder_in_memory()) as folder:
        home = Path(folder)
        try:
            yield mongo.wait(mongo.launch(home, 0))
        except MissingProgramError as error:
            _missing(error)
        finally:
            process.stop(home, mongo.NAME)


@pytest.fixture(scope="session")
def prepared_databases(mongo_uri: str) -> Iterator[PreparedDatabases]:
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        yield PreparedDatabases(client)


@pytest.fixture
def settings(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[SettingsFactory]:
    """Make settings for one test: a home, topics and a database of its own.

    The factory takes sections as keywords, `settings(stream={"pane_s": 60})`, and
    `topics=True` to create the topics. The services that the test's markers `kafka`
    and `mongo` name are started. The database is a new one, which is dropped
    afterwards, or, from the first `prepared=True` on, an empty one with its indexes.
    """
    name = f"t{uuid.uuid4().hex[:12]}"
    needs = {mark.name for mark in request.node.iter_markers()}
    ours: dict[str, dict[str, Any]] = {
        "kafka": {
            "events_topic": f"{name}.ev",
            "history_topic": f"{name}.his",
            "rejected_topic": f"{name}.rej",
        },
        "mongo": {"database": name},
        "dashboard": {"port": 0},
    }
    if "kafka" in needs:
        ours["kafka"]["bootstrap"] = request.getfixturevalue("kafka_bootstrap")
    if "mongo" in needs:
        ours["mongo"]["uri"] = SecretStr(request.getfixturevalue("mongo_uri"))

    def make(
        *, topics: bool = False, prepared: bool = False, **sections: dict[str, Any]
    ) -> Settings:
        if prepared and ours["mongo"]["database"] == name:
            databases = request.getfixturevalue("prepared_databases")
            ours["mongo"]["database"] = databases.hand_out()
        merged = {
            key: {**ours.get(key, {}), **sections.get(key, {})}
            for key in ours.keys() | sections.keys()
        }
        made = Settings.model_validate({"home": tmp_path / "home", **merged})
        if topics:
            ensure_topics(made, print)
        return made

    yield make
    if "mongo" in needs and ours["mongo"]["database"] == name:
        with MongoClient[dict[str, Any]](
            request.getfixturevalue("mongo_uri")
        ) as client:
            client.drop_database(name)


@pytest.fixture(scope="session")
def spark(java: Path, jars: Path) -> Iterator["SparkSession"]:
    """One small local Spark for all tests of the run, with the Kafka source."""
    from pyspark.sql import SparkSession

    os.environ["JAVA_HOME"] = str(java.resolve().parent.parent)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    connector = ",".join(map(str, bundle(jars.parent, "spark")))
    session = (
        SparkSession.builder.master("local[2,4]")
        .appName("segue-tests")
        .config(map=_spark_defaults())
        .config("spark.jars", connector)
        .config("spark.driver.memory", "1g")
        .config("spark.driver.extraJavaOptions", _log4j_option())
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """One Chromium for a module: its event loop is in the way of `asyncio.run`."""
    from playwright.sync_api import expect, sync_playwright

    # a page is shown when it is ready; tests of how soon say so themselves
    expect.set_options(timeout=BROWSER_TIMEOUT_MS)
    try:
        path = find_browser()
    except MissingProgramError as error:
        _missing(error)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_260_503)


def _folder_in_memory() -> Path | None:
    """Return a folder of memory with much room, if the machine has one."""
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return None
    room = min(psutil.disk_usage(str(folder)).free, psutil.virtual_memory().available)
    return folder if room > MEMORY_ROOM_BYTES else None


def _spark_defaults() -> dict[str, bool | float | int | str | None]:
    lines = (CHECKOUT / "conf" / "spark-defaults.conf").read_text("utf-8").splitlines()
    defaults: dict[str, bool | float | int | str | None] = {}
    for line in lines:
        if line and not line.startswith("#"):
            key, value = line.split()
            defaults[key] = value
    return defaults


def _log4j_option() -> str:
    return f"-Dlog4j2.configurationFile=file:{CHECKOUT / 'conf' / 'log4j2.properties'}"


def _missing(error: Exception) -> NoReturn:
    if os.environ.get("SEGUE_REQUIRE_SERVICES") == "1":
        pytest.fail(str(error))
    pytest.skip(str(error))
