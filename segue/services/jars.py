"""Fetch the jars of the Kafka broker and of Spark's Kafka source, once.

pyspark carries Apache Ivy; it takes the jars and all that they need from Maven
Central, or from where an Ivy settings file says. What pyspark has already is not
fetched again.
"""

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from segue.errors import MissingProgramError, ServiceError
from segue.services.process import locked

SPARK_VERSION: Final = "4.2.0"
KAFKA_VERSION: Final = "4.2.0"
# without it the broker's own log lines go nowhere
LOG4J_VERSION: Final = "2.25.3"

# folder → the jars (organisation, module, version) that it holds with their own needs
BUNDLES: Final = {
    "kafka": (
        ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
        ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
    ),
    "spark": (("org.apache.spark", "spark-sql-kafka-0-10_2.13", SPARK_VERSION),),
    "tools": (("org.apache.kafka", "kafka-tools", KAFKA_VERSION),),
    "mongo": (("org.mongodb.spark", "mongo-spark-connector_2.13", "10.5.0"),),
}
NEEDED: Final = ("kafka", "spark")
_MARKER: Final = "RESOLVED"
_TIMEOUT_S: Final = 900


def resolve_jars(
    home: Path,
    java: Path,
    report: Callable[[str], None],
    ivy_settings: Path | None = None,
    names: Sequence[str] = NEEDED,
) -> None:
    """Put the jars into `home/jars/<name>`, unless they are there.

    Parameters
    ----------
    home : Path
        Folder of all state.
    java : Path
        The `java` that runs Ivy.
    report : callable
        Takes a line for each step.
    ivy_settings : Path, optional
        Ivy settings file that names other places than Maven Central.
    names : sequence of str
        Keys of `BUNDLES`; default is what Segue needs, `tools` are for measuring.

    Raises
    ------
    ServiceError
        When a jar cannot be fetched.
    MissingProgramError
        When pyspark is not installed.
    """
    folder = home.resolve() / "jars"
    if is_resolved(home, names):
        return
    with locked(home, "jars"):
        for name in names:
            if not _is_current(folder, name):
                report(f"fetching the jars of {name} from Maven Central, once …")
                _resolve(folder, name, java, ivy_settings)
        shutil.rmtree(folder / "cache", ignore_errors=True)
    report(f"the jars are in {folder}")


def is_resolved(home: Path, names: Sequence[str] = NEEDED) -> bool:
    """Tell whether the jars of these versions are there."""
    return all(_is_current(home.resolve() / "jars", name) for name in names)


def bundle(home: Path, name: str) -> list[Path]:
    """Return the jars of one bundle: `kafka` or `spark`.

    Raises
    ------
    MissingProgramError
        When they have not been fetched.
    """
    folder = home.resolve() / "jars" / name
    if not _is_current(folder.parent, name):
        raise MissingProgramError(
            f"the jars of {name} are not in {folder}; run bin/setup (or `segue up`) "
            "once with a network"
        )
    return sorted(folder.glob("*.jar"))


def pyspark_jars() -> Path:
    """Return the folder of the jars that pyspark carries.

    Raises
    ------
    MissingProgramError
        When pyspark is not installed.
    """
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise MissingProgramError(
            "pyspark is not installed; run bin/setup, or pip install 'segue[streaming]'"
        )
    return Path(found.origin).parent / "jars"


def _is_current(folder: Path, name: str) -> bool:
    try:
        marker = (folder / name / _MARKER).read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return marker == _mark(folder / name, name)


def _mark(folder: Path, name: str) -> str:
    """Return what was asked for and what is there, a jar a line."""
    jars = sorted(jar.name for jar in folder.glob("*.jar"))
    return "\n".join([json.dumps(BUNDLES[name]), *jars])


def _resolve(folder: Path, name: str, java: Path, ivy_settings: Path | None) -> None:
    target, part = folder / name, folder / f"{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    carried = _modules(pyspark_jars()) if name == "spark" else ()
    request = part / "ivy.xml"
    request.write_text(_ivy_file(name, carried), encoding="utf-8")
    _run_ivy(_ivy_argv(java, folder / "cache", request, part, ivy_settings), name)
    request.unlink()
    (part / _MARKER).write_text(_mark(part, name), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    part.replace(target)


def _modules(jars: Path) -> list[str]:
    """Return the modules of a folder of jars: `lz4-java` for `lz4-java-1.11.0.jar`."""
    return sorted({re.sub(r"-\d.*$", "", jar.stem) for jar in jars.glob("*.jar")})


def _ivy_file(name: str, carried: Iterable[str]) -> str:
    wanted = "".join(
        f'<dependency org="{org}" name="{module}" rev="{version}"'
        ' conf="default->default"/>'
        for org, module, version in BUNDLES[name]
    )
    excluded = "".join(f"<exclude module={quoteattr(module)}/>" for module in carried)
    return (
        f'<ivy-module version="2.0"><info organisation="segue" module="{name}"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{wanted}{excluded}</dependencies></ivy-module>"
    )


def _ivy_argv(
    java: Path, cache: Path, request: Path, target: Path, ivy_settings: Path | None
) -> list[str]:
    ivy = next(iter(pyspark_jars().glob("ivy-*.jar")), None)
    if ivy is None:
        raise MissingProgramError(
            f"{pyspark_jars()} has no Ivy; install pyspark again: "
            f"pip install --force-reinstall pyspark=={SPARK_VERSION}"
        )
    settings = [] if ivy_settings is None else ["-settings", str(ivy_settings)]
    pattern = f"{target}/[artifact]-[revision](-[classifier]).[ext]"
    return [
        *(str(java), "-jar", str(ivy), *settings, "-cache", str(cache)),
        # Kafka's jars are of type `bundle` where they carry OSGi headers
        *("-ivy", str(request), "-confs", "default", "-types", "jar", "bundle"),
        *("-retrieve", pattern),
    ]


def _run_ivy(argv: list[str], name: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command line
        argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    # Ivy ends with 0 even where a jar was not found
    if done.returncode != 0 or "UNRESOLVED DEPENDENCIES" in done.stdout:
        lines = [line for line in done.stdout.splitlines() if "WARN" not in line]
        raise ServiceError(
            f"cannot fetch the jars of {name}; is there a network? Behind a mirror of "
            "Maven Central set SEGUE_SPARK_IVY_SETTINGS to an Ivy settings file. Ivy "
            "said:\n" + "\n".join((lines or done.stderr.splitlines())[-12:])
        )
