import shutil
from pathlib import Path

import pytest

from segue.errors import MissingProgramError, ServiceError
from segue.services.jars import BUNDLES, NEEDED, bundle, is_resolved, resolve_jars

# an Ivy that can reach nothing: every repository lies on a port where nobody listens
NO_NETWORK = """<ivysettings>
  <settings defaultResolver="nowhere"/>
  <resolvers>
    <ibiblio name="nowhere" m2compatible="true" root="http://127.0.0.1:1/maven2"/>
  </resolvers>
</ivysettings>
"""


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    path = tmp_path / "ivysettings.xml"
    path.write_text(NO_NETWORK)
    return path


def test_resolving_again_needs_no_network_and_no_java(
    jars: Path, tmp_path: Path, offline: Path
) -> None:
    (tmp_path / "jars").symlink_to(jars)
    lines: list[str] = []
    resolve_jars(tmp_path, Path("/no/java"), lines.append, offline)
    assert lines == []


def test_each_bundle_has_what_it_was_asked_for(jars: Path) -> None:
    for name in NEEDED:
        files = {jar.name for jar in bundle(jars.parent, name)}
        wanted = {f"{module}-{version}.jar" for _, module, version in BUNDLES[name]}
        assert wanted <= files


def test_spark_gets_no_second_copy_of_what_pyspark_carries(jars: Path) -> None:
    names = [jar.name for jar in bundle(jars.parent, "spark")]
    assert not [name for name in names if name.startswith(("hadoop-", "scala-library"))]
    assert any(name.startswith("kafka-clients-") for name in names)


@pytest.mark.slow
def test_without_a_network_the_message_says_what_to_set(
    java: Path, tmp_path: Path, offline: Path
) -> None:
    with pytest.raises(ServiceError, match="SEGUE_SPARK_IVY_SETTINGS"):
        resolve_jars(tmp_path, java, print, offline)
    assert not is_resolved(tmp_path)


def test_a_jar_that_was_removed_is_noticed(jars: Path, tmp_path: Path) -> None:
    copy = tmp_path / "jars"
    shutil.copytree(jars / "spark", copy / "spark")
    jar = bundle(tmp_path, "spark")[0]
    jar.unlink()
    with pytest.raises(MissingProgramError, match="bin/setup"):
        bundle(tmp_path, "spark")
