import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from segue.errors import SettingsError
from segue.settings import Settings, load_settings, to_environment

CONF = Path(__file__).resolve().parent.parent.parent / "conf" / "segue.toml"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "segue.toml"
    path.write_text("")
    return path


def iter_defaults() -> Iterator[tuple[str, str, object]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            for key, value in field.default:
                yield name, key, value
        else:
            yield "", name, field.default


def test_without_file_and_environment_there_are_defaults(conf: Path) -> None:
    assert load_settings({}, conf) == Settings()


def test_the_settings_file_shows_every_default() -> None:
    """Its lines, with the `#` taken away, give exactly the code's defaults."""
    text = CONF.read_text()
    shown = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))
    unset: dict[str, set[str]] = {}
    section = ""
    for line in text.splitlines():
        if header := re.match(r"\[(\w+)\]", line):
            section = header[1]
        if missing := re.match(r"# unset: (\w+)", line):
            unset.setdefault(section, set()).add(missing[1])
    for section, key, default in iter_defaults():
        if default is None:
            assert key in unset[section], f"{section}.{key} is not in {CONF}"
        else:
            place = shown[section] if section else shown
            expected = str(default) if isinstance(default, Path) else default
            assert place.pop(key, "missing") == expected, f"{section}.{key}"
    assert [rest for rest in shown.values() if rest] == []


def test_the_settings_file_as_it_is_changes_nothing() -> None:
    assert load_settings({}, CONF) == Settings()


def test_the_environment_wins_over_the_file(conf: Path) -> None:
    conf.write_text('home = "/a"\n[kafka]\nport = 1\npartitions = 3')
    loaded = load_settings({"SEGUE_KAFKA_PORT": "2", "SEGUE_HOME": "/b"}, conf)
    assert (loaded.kafka.port, loaded.kafka.partitions) == (2, 3)
    assert loaded.home == Path("/b")


def test_segue_conf_names_the_file(conf: Path) -> None:
    conf.write_text("[dashboard]\nport = 9")
    assert load_settings({"SEGUE_CONF": str(conf)}).dashboard.port == 9


def test_spark_master_is_read(conf: Path) -> None:
    loaded = load_settings({"SPARK_MASTER": "spark://127.0.0.1:7077"}, conf)
    assert loaded.spark.master == "spark://127.0.0.1:7077"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SEGUE_KAFKA_BOOTSRAP", "did you mean SEGUE_KAFKA_BOOTSTRAP"),
        ("SEGUE_KAFAK_PORT", "did you mean SEGUE_KAFKA_PORT"),
        ("SEGUE_XQZWVK_XQZWVK_XQZWVK", "known are"),
    ],
)
def test_an_unknown_variable_is_an_error_with_a_hint(
    conf: Path, name: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=hint):
        load_settings({name: "1"}, conf)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[kafka]\nprot = 1", "unknown setting kafka.prot; did you mean port"),
        ("[kafak]\nport = 1", "unknown setting kafak; did you mean kafka"),
        ("[kafka]\nport = 70000", "kafka.port = 70000"),
        ("[kafka]\npartitions = 0", "kafka.partitions = 0"),
        ("[taste]\nnegative_pull = 1.5", "taste.negative_pull = 1.5"),
        ("[kafka", "is not TOML"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_the_place(
    conf: Path, text: str, message: str
) -> None:
    conf.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(message)):
        load_settings({}, conf)


def test_a_file_that_is_named_but_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read settings file"):
        load_settings({"SEGUE_CONF": str(tmp_path / "gone.toml")})


def test_a_wrong_uri_does_not_show_its_password(conf: Path) -> None:
    conf.write_text('[mongo]\nuri = ["mongodb://ada:geheim@db"]')
    with pytest.raises(SettingsError) as caught:
        load_settings({}, conf)
    assert "mongo.uri" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_child_process_loads_the_same_settings(conf: Path, tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "home": tmp_path,
            "kafka": {"bootstrap": "127.0.0.1:9", "partitions": 5},
            "mongo": {"uri": SecretStr("mongodb://ada:geheim@db/")},
            "spark": {"master": "local[1]", "java_home": "/jdk"},
            "taste": {"half_life_s": 7.5},
        }
    )
    inherited = {"SPARK_MASTER": "other", "SEGUE_KAFKA_BOOTSTRAP": "other:1"}
    loaded = load_settings(inherited | to_environment(settings), conf)
    assert loaded == settings


def test_settings_do_not_print_the_password() -> None:
    settings = Settings.model_validate({"mongo": {"uri": "mongodb://ada:geheim@db/"}})
    assert "geheim" not in f"{settings!r} {settings}"
