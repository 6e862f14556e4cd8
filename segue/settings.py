"""Typed settings: defaults here, overridden by a TOML file, then by `SEGUE_*`.

`SEGUE_<SECTION>_<KEY>` sets one value, for example `SEGUE_KAFKA_BOOTSTRAP` or
`SEGUE_TASTE_HALF_LIFE_S`; `SEGUE_HOME` names the folder of all state and
`SPARK_MASTER` the Spark master. An unknown name is an error with a suggestion.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator

from segue.errors import SettingsError
from segue.setting_sections import (
    DashboardSettings,
    FeatureSettings,
    KafkaSettings,
    LearningSettings,
    MongoSettings,
    Section,
    SimulatorSettings,
    SparkSettings,
    StreamSettings,
    TasteSettings,
)

__all__ = [
    "DEFAULT_CONF",
    "DashboardSettings",
    "FeatureSettings",
    "KafkaSettings",
    "LearningSettings",
    "MongoSettings",
    "Settings",
    "SimulatorSettings",
    "SparkSettings",
    "StreamSettings",
    "TasteSettings",
    "load_settings",
    "to_environment",
    "with_free_ports",
]

DEFAULT_CONF = Path("conf/segue.toml")
# read elsewhere: the file of settings, and the switch that makes tests require services
_NOT_SETTINGS = {"SEGUE_CONF", "SEGUE_REQUIRE_SERVICES"}


class Settings(Section):
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
    learning: LearningSettings = LearningSettings()
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
    if field is None or not isinstance(field.default, Section):
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
