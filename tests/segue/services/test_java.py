"""Programs that answer `-version` as the Java of that vendor and version does."""

from pathlib import Path

import pytest

from segue.errors import MissingProgramError
from segue.services.java import find_java, java_version
from segue.settings import load_settings

ANSWERS = {
    8: 'openjdk version "1.8.0_392"',
    11: 'openjdk version "11.0.21" 2023-10-17',
    17: 'openjdk version "17.0.15" 2025-04-15',
    21: 'openjdk version "21" 2023-09-19',
    25: 'openjdk version "25.0.3" 2026-04-21 LTS',
}
NO_PATH = "/no/such/folder"


def install(home: Path, version: int) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{ANSWERS[version]}' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ANSWERS)
def test_the_version_is_read(tmp_path: Path, version: int) -> None:
    assert java_version(install(tmp_path, version)) == version


@pytest.mark.parametrize("version", [17, 21])
def test_java_home_comes_first(tmp_path: Path, version: int) -> None:
    java = install(tmp_path / "home", version)
    other = install(tmp_path / "path", 17).parent
    assert find_java(tmp_path / "home", str(other), tmp_path) == java


def test_the_path_comes_before_usr_lib_jvm(tmp_path: Path) -> None:
    install(tmp_path / "jvm" / "java-17", 17)
    on_path = install(tmp_path / "path", 21)
    assert find_java(None, str(on_path.parent), tmp_path / "jvm") == on_path


def test_a_java_that_spark_does_not_take_is_passed_over(tmp_path: Path) -> None:
    install(tmp_path / "home", 25)
    right = install(tmp_path / "jvm" / "java-17", 17)
    assert find_java(tmp_path / "home", NO_PATH, tmp_path / "jvm") == right


@pytest.mark.parametrize("version", [8, 11, 25])
def test_only_a_wrong_java_is_refused_by_its_version(
    tmp_path: Path, version: int
) -> None:
    install(tmp_path / "home", version)
    with pytest.raises(MissingProgramError) as caught:
        find_java(tmp_path / "home", NO_PATH, tmp_path / "jvm")
    message = str(caught.value)
    assert f"Java {version} at {tmp_path / 'home'}" in message
    assert "needs Java 17 or 21" in message
    assert "openjdk-17-jre-headless" in message


def test_no_java_at_all_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError) as caught:
        find_java(tmp_path / "gone", NO_PATH, tmp_path / "jvm")
    assert "no Java" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_java_home_is_a_setting(tmp_path: Path) -> None:
    conf = tmp_path / "segue.toml"
    conf.write_text("")
    assert load_settings({"JAVA_HOME": "/jdk"}, conf).spark.java_home == Path("/jdk")
    conf.write_text('[spark]\njava_home = "/other"')
    assert load_settings({"JAVA_HOME": "/jdk"}, conf).spark.java_home == Path("/other")
