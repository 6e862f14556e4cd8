"""Typed settings: defaults here, overridden by a TOML file, then by `SEGUE_*`.

`SEGUE_<SECTION>_<KEY>` sets one value, for example `SEGUE_KAFKA_BOOTSTRAP` or
`SEGUE_TASTE_HALF_LIFE_S`; `SEGUE_HOME` names the folder of all state and
`SPARK_MASTER` the Spark master. An unknown name is an error with a suggestion.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from segue.errors import SettingsError

DEFAULT_CONF = Path("conf/segue.toml")
# read elsewhere: the file of settings, and the switch that makes tests require services
_NOT_SETTINGS = {"SEGUE_CONF", "SEGUE_REQUIRE_SERVICES"}

Port = Annotated[int, Field(ge=0, le=65535)]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class KafkaSettings(_Section):
    """The broker and its topics."""

    bootstrap: str | None = None
    """`host:port` of the user's own Kafka; unset: a local broker is started."""
    port: Port = 9092
    """Port of the local broker on loopback; 0 chooses a free one."""
    events_topic: str = "playback.events"
    history_topic: str = "playback.history"
    """Imported plays, with event times of long ago."""
    rejected_topic: str = "playback.rejected"
    partitions: PositiveInt = 2
    """Partitions of a topic that Segue creates."""
    retention_h: PositiveInt = 168
    """Hours for which a topic that Segue creates keeps its messages."""
    timeout_ms: PositiveInt = 5000
    """Milliseconds to wait for a broker before it counts as unreachable."""
    spool_mb: PositiveInt = 256
    """Most MiB of events that wait on disk while Kafka is away."""


class MongoSettings(_Section):
    """The document store."""

    uri: SecretStr | None = None
    """URI of the user's own MongoDB (a replica set); unset: a local one is started."""
    port: Port = 27017
    """Port of the local `mongod` on loopback; 0 chooses a free one."""
    database: str = "segue"
    timeout_ms: PositiveInt = 5000
    """Milliseconds to wait for a server before it counts as unreachable."""
    listens_days: Annotated[int, Field(ge=0)] = 0
    """Days for which `listens` keeps a play, which stays archived; 0: for ever."""


class SparkSettings(_Section):
    """How Spark is started."""

    master: str = "local[2,4]"
    """Spark master; `[2,4]` is two cores and four attempts at a task."""
    driver_memory: str = "1g"
    java_home: Path | None = None
    """Where Java 17 or 21 is (`JAVA_HOME`); unset: it is looked for."""
    ivy_settings: Path | None = None
    """Ivy settings file with a mirror of Maven Central; unset: Central itself."""


class FeatureSettings(_Section):
    """Audio → feature table."""

    files_per_commit: PositiveInt = 64
    """Most files whose rows are committed together; a killed build loses fewer."""
    file_timeout_s: PositiveInt = 50
    """Seconds for one file, and as many again for each 16 MiB of it."""
    worker_memory_mb: Annotated[int, Field(ge=512)] = 1024
    """Most memory, in MiB, of a process that reads a file, however long that is."""
    refit_share: PositiveFloat = 0.2
    """Share by which the catalogue may change before the taste space is fitted anew."""
    refit_after_h: PositiveInt = 168
    """Hours after which a changed catalogue has its space fitted anew all the same."""
    rescan_s: PositiveInt = 300
    """Seconds after which `--watch` looks through the folder without being told."""


class StreamSettings(_Section):
    """The streaming job."""

    watermark_s: PositiveInt = 600
    """Seconds that an event may reach Kafka after its event time; then it is late."""
    future_tolerance_s: PositiveInt = 300
    """Seconds that an event time may lie ahead of Kafka's clock."""
    partition_skew_s: PositiveInt = 600
    """Seconds by which one Kafka partition may be read ahead of another."""
    pane_s: PositiveInt = 300
    """Length of a tumbling pane of event time."""
    trigger_ms: PositiveInt = 200
    """Shortest time between two micro-batches."""
    max_offsets_per_trigger: PositiveInt = 200_000
    """Most messages that one micro-batch takes."""
    small_files: PositiveInt = 48
    """Small files of a date in the archive; where there are more, they are merged."""


class TasteSettings(_Section):
    """From listens to a taste vector and a list."""

    horizon_s: PositiveInt = 86_400
    """Seconds of listening that count."""
    half_life_s: PositiveFloat = 1800.0
    """Seconds after which a listen counts half."""
    negative_half_life_s: PositiveFloat = 600.0
    """Seconds after which a skip counts half; skips fade faster than listens."""
    negative_pull: Share = 0.5
    """Weight of the mean of what was skipped, against that of what was heard."""
    heard_s: PositiveInt = 1800
    """Seconds for which a played track stays out of the list."""
    n_recommendations: PositiveInt = 20
    """Length of a list."""


class DashboardSettings(_Section):
    """The web application."""

    host: str = "127.0.0.1"
    port: Port = 8050
    """Port of the web application; 0 chooses a free one."""
    rate_limit: PositiveInt = 100
    """Requests in ten seconds that one listener's programs may make at `/1/`."""


class SimulatorSettings(_Section):
    """The demo's simulated listeners."""

    n_listeners: PositiveInt = 12
    plays_per_min: PositiveFloat = 30.0
    """Plays per minute of all listeners together."""


class Settings(_Section):
    """Everything that a user may set."""

    home: Path = Field(default=Path("var"), validate_default=True)
    """Folder of all state (`SEGUE_HOME`)."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        # the processes that share the settings need not share a working folder
        return home.expanduser().absolute()

    kafka: KafkaSettings = KafkaSettings()
    mongo: MongoSettings = MongoSettings()
    spark: SparkSettings = SparkSettings()
    features: FeatureSettings = FeatureSettings()
    stream: StreamSettings = StreamSettings()
    taste: TasteSettings = TasteSettings()
    dashboard: DashboardSettings = DashboardSettings()
    simulator: SimulatorSettings = SimulatorSettings()


def load_settings(environ: Mapping[str, str], conf: Path | None = None) -> Settings:
    """Merge defaults, the settings file and the environment.

    Parameters
    ----------
    environ : mapping
        Usually `os.environ`. Only `SEGUE_*`, `SPARK_MASTER` and `JAVA_HOME` count.
    conf : Path, optional
        TOML file; default is `SEGUE_CONF`, else `conf/segue.toml` where it exists.

    Raises
    ------
    SettingsError
        For an unreadable file, an unknown name or a value of the wrong kind.
    """
    values = _read_conf(conf, environ.get("SEGUE_CONF"))
    for name, text in environ.items():
        if name == "SPARK_MASTER":
            values.setdefault("spark", {})["master"] = text
        elif name.startswith("SEGUE_") and name not in _NOT_SETTINGS:
            _set_from_environment(values, name, text)
    if "JAVA_HOME" in environ:
        values.setdefault("spark", {}).setdefault("java_home", environ["JAVA_HOME"])
    return _validated(values)


def with_free_ports(settings: Settings) -> Settings:
    """Return settings under which every local server takes a free port."""
    sections = {
        name: getattr(settings, name).model_copy(update={"port": 0})
        for name in ("kafka", "mongo", "dashboard")
    }
    return settings.model_copy(update=sections)


def to_environment(settings: Settings) -> dict[str, str]:
    """Return the variables from which a child process loads the same settings.

    Passwords stay out of command lines this way.
    """
    variables = {"SEGUE_HOME": str(settings.home.absolute())}
    for section in Settings.model_fields:
        for key in _keys_of(section):
            value = getattr(getattr(settings, section), key)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            if value is not None:
                variables[f"SEGUE_{section}_{key}".upper()] = str(value)
    return {**variables, "SPARK_MASTER": settings.spark.master}


def _validated(values: dict[str, Any]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(map(_explain, error.errors()))) from None


def _read_conf(conf: Path | None, from_environment: str | None) -> dict[str, Any]:
    named = conf or (Path(from_environment) if from_environment else None)
    path = named or DEFAULT_CONF
    if named is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"cannot read settings file {path}: {error.strerror}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path} is not TOML: {error}") from None


def _set_from_environment(values: dict[str, Any], name: str, text: str) -> None:
    if name == "SEGUE_HOME":
        values["home"] = text
        return
    section, _, key = name.removeprefix("SEGUE_").lower().partition("_")
    if key not in _keys_of(section):
        raise SettingsError(
            f"unknown setting {name}{_suggestion(name, _environment_names())}"
        )
    values.setdefault(section, {})[key] = text


def _keys_of(section: str) -> list[str]:
    field = Settings.model_fields.get(section)
    if field is None or not isinstance(field.default, _Section):
        return []
    return list(type(field.default).model_fields)


def _environment_names() -> list[str]:
    names = [
        f"SEGUE_{section}_{key}".upper()
        for section in Settings.model_fields
        for key in _keys_of(section)
    ]
    return ["SEGUE_HOME", *names]


def _explain(error: Any) -> str:
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        *section, key = error["loc"]
        known = _keys_of(section[0]) if section else list(Settings.model_fields)
        return f"unknown setting {place}{_suggestion(str(key), known)}"
    if "uri" in error["loc"]:  # may hold a password
        return f"setting {place}: {error['msg']}"
    return f"setting {place} = {error['input']!r}: {error['msg']}"


def _suggestion(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return (
        f"; did you mean {close[0]}?" if close else f"; known are: {', '.join(known)}"
    )
