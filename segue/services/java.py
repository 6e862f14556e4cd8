"""Find the Java that Spark and Kafka run on."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from segue.errors import MissingProgramError

SUPPORTED_VERSIONS: Final = (17, 21)
JVM_FOLDER: Final = Path("/usr/lib/jvm")
_ASK_TIMEOUT_S: Final = 20


def find_java(
    java_home: Path | None = None,
    path: str | None = None,
    jvm_folder: Path = JVM_FOLDER,
) -> Path:
    """Return a `java` of a version on which Spark runs.

    Parameters
    ----------
    java_home : Path, optional
        Looked at first; `settings.spark.java_home`, which is `JAVA_HOME`.
    path : str, optional
        Folders as in `PATH`, looked through next; default is this process's `PATH`.
    jvm_folder : Path, optional
        Where Debian and others install Java; looked through last.

    Raises
    ------
    MissingProgramError
        When there is none, or only versions that Spark does not take.
    """
    refused: dict[Path, int] = {}
    for java in _iter_candidates(java_home, path, jvm_folder):
        version = java_version(java)
        if version in SUPPORTED_VERSIONS:
            return java
        if version is not None:
            refused[java] = version
    found = ", ".join(f"Java {version} at {java}" for java, version in refused.items())
    wanted = " or ".join(map(str, SUPPORTED_VERSIONS))
    raise MissingProgramError(
        f"Segue needs Java {wanted}; found {found or 'no Java'}. Install it (Debian, "
        "Ubuntu: apt-get install openjdk-17-jre-headless) or set JAVA_HOME to one"
    )


@lru_cache
def java_version(java: Path) -> int | None:
    """Return the major version of a `java` program, None if it does not tell."""
    try:
        answer = subprocess.run(  # noqa: S603 - the program is what is asked for
            [java, "-version"],
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return None if match is None else int(match[1])


def _iter_candidates(
    java_home: Path | None, path: str | None, jvm_folder: Path
) -> Iterator[Path]:
    if java_home is not None:
        yield java_home / "bin" / "java"
    on_path = shutil.which("java", path=path)
    if on_path is not None:
        yield Path(on_path)
    yield from sorted(jvm_folder.glob("*/bin/java"))
