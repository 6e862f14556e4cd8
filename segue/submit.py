"""Run our jobs by `spark-submit`, with our wheel, jars and `conf/spark-defaults.conf`.

What a job has to know, it reads from the environment: settings, endpoints, passwords.
The command line carries what Spark has to know.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import segue
from segue.errors import SettingsError, SparkJobError
from segue.services.jars import bundle, pyspark_jars
from segue.services.java import find_java
from segue.settings import Settings, to_environment

Report = Callable[[str], None]

ROOT: Final = Path(segue.__file__).resolve().parent.parent
PACKAGES: Final = (
    *("segue", "features", "models", "streaming", "learning", "dashboard"),
)
# RocksDB and Arrow allocate from many threads. Each arena that glibc makes for some of
# them keeps 64 MiB that it has had once, each heap of Arrow's own allocator more
_MEMORY: Final = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
_METADATA: Final = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Job:
    """A program of ours that Spark runs.

    Attributes
    ----------
    file : str
        Where it is, seen from the folder of our packages.
    bundles : tuple of str
        The jars that it needs beside Spark's own; see `segue.services.jars`.
    """

    file: str
    bundles: tuple[str, ...] = ()


JOBS: Final = {
    "stream": Job("streaming/job.py", ("spark",)),
    "features": Job("features/job.py"),
    "recompute": Job("streaming/recompute.py"),
    "train": Job("learning/train.py"),
    "evaluate": Job("learning/evaluate.py"),
    "population": Job("learning/population.py"),
}


def exec_job(
    settings: Settings,
    job: str,
    args: Sequence[str],
    report: Report,
    environ: Mapping[str, str] | None = None,
) -> NoReturn:
    """Turn this process into the job.

    Parameters
    ----------
    settings : Settings
        With both endpoints filled in, where the job needs them.
    job : str
        A key of `JOBS`.
    args : sequence of str
        Go to the job as they are.
    report : callable
        Takes a line for each step before the job starts.
    environ : mapping, optional
        What the job's environment starts from; default is this process's own.

    Raises
    ------
    SegueError
        When something that the job needs is missing.
    """
    argv, env = prepare_job(settings, job, args, report, environ)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(argv[0], argv, env)  # noqa: S606 - our own command line


def run_job(
    settings: Settings,
    job: str,
    args: Sequence[str],
    report: Report,
    environ: Mapping[str, str] | None = None,
    *,
    to_stderr: bool = False,
) -> None:
    """Run the job to its end; parameters as in :func:`exec_job`.

    Parameters
    ----------
    to_stderr : bool
        What it prints goes there: spark-submit makes one stream of a job's two.

    Raises
    ------
    SparkJobError
        When the job fails.
    """
    argv, env = prepare_job(settings, job, args, report, environ)
    sys.stdout.flush()
    out = sys.stderr if to_stderr else None
    status = subprocess.run(argv, env=env, check=False, stdout=out).returncode  # noqa: S603
    if status != 0:
        raise SparkJobError(
            f"the job {job} ended with status {status}; what it printed says why. To "
            f"run it alone: bin/submit {' '.join([job, *args])}"
        )


def prepare_job(
    settings: Settings,
    job: str,
    args: Sequence[str],
    report: Report,
    environ: Mapping[str, str] | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Return command line and environment of a job; parameters as in `exec_job`."""
    java = find_java(settings.spark.java_home)
    wheel = build_wheel(settings.home.absolute() / "wheel", report)
    argv = spark_submit_argv(settings, job, args, wheel)
    return argv, job_environment(settings, java, environ)


def spark_submit_argv(
    settings: Settings, job: str, args: Sequence[str], wheel: Path
) -> list[str]:
    """Return the command line of `spark-submit` for a job.

    Raises
    ------
    SettingsError
        When there is no such job, or no `conf/spark-defaults.conf`.
    MissingProgramError
        When jars that the job needs have not been fetched.
    """
    if job not in JOBS:
        raise SettingsError(f"no job {job!r}; there are: {', '.join(JOBS)}")
    wanted = JOBS[job]
    jars = [str(jar) for name in wanted.bundles for jar in bundle(settings.home, name)]
    return [
        str(pyspark_jars().parent / "bin" / "spark-submit"),
        *("--master", settings.spark.master, "--name", f"segue-{job}"),
        *("--driver-memory", settings.spark.driver_memory),
        *("--properties-file", str(_conf_file("spark-defaults.conf"))),
        *("--driver-java-options", _log4j_option()),
        *(
            "--conf",
            f"spark.scheduler.allocation.file={_file_uri('fairscheduler.xml')}",
        ),
        *(_loopback() if settings.spark.master.startswith("local") else ()),
        *(("--jars", ",".join(jars)) if jars else ()),
        *("--py-files", str(wheel)),
        str(ROOT / wanted.file),
        *args,
    ]


def job_environment(
    settings: Settings, java: Path, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment of a job: settings, this Python, this Java, this Spark."""
    return {
        **_MEMORY,
        **(os.environ if environ is None else environ),
        **to_environment(settings),
        "JAVA_HOME": str(java.resolve().parent.parent),
        # the Spark of this Python, whatever else is installed on the machine
        "SPARK_HOME": str(pyspark_jars().parent),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def build_wheel(folder: Path, report: Report, root: Path = ROOT) -> Path:
    """Build our wheel below `folder` where it is missing or older than the sources.

    Spark takes Python code as `.zip`, `.egg` or `.py`, so that is what it is called.

    Parameters
    ----------
    folder : Path
        Where the wheel is kept.
    report : callable
        Takes a line when it is built.
    root : Path
        Folder of our packages.

    Raises
    ------
    SparkJobError
        When it cannot be built.
    """
    target = folder / f"segue-{segue.__version__}.zip"
    newest_ns = _newest_source_ns(root)
    if target.exists() and target.stat().st_mtime_ns == newest_ns:
        return target
    report("building our wheel for Spark …")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        sources = Path(work) / "sources"
        _copy_sources(root, sources)
        if (root / "setup.cfg").exists():
            built = _pip_wheel(sources, Path(work))
        else:  # we run from an installed wheel: its packages are all there is
            built = Path(shutil.make_archive(f"{work}/segue", "zip", sources))
        os.utime(built, ns=(newest_ns, newest_ns))
        built.replace(target)
    return target


def _newest_source_ns(root: Path) -> int:
    files = [file for package in PACKAGES for file in (root / package).rglob("*.py")]
    metadata = [root / name for name in _METADATA if (root / name).exists()]
    return max(file.stat().st_mtime_ns for file in [*files, *metadata])


def _copy_sources(root: Path, target: Path) -> None:
    """Copy what the wheel is made of; a build in place would leave old files behind."""
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / package, target / package, ignore=ignored)
    for name in _METADATA:
        if (root / name).exists():
            shutil.copy2(root / name, target)


def _pip_wheel(sources: Path, target: Path) -> Path:
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "pip", "wheel", *offline, "-w", target, sources],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SparkJobError(
            "cannot build our wheel; run bin/setup, which installs setuptools and "
            f"wheel. pip said:\n{done.stderr[-1500:]}"
        )
    return next(target.glob("*.whl"))


def _conf_file(name: str) -> Path:
    """Return a file of `conf/`: in the working folder, else beside our packages."""
    places = [Path("conf") / name, ROOT / "conf" / name]
    for place in places:
        if place.exists():
            return place.absolute()
    raise SettingsError(
        f"no conf/{name} here or in {ROOT}; start from the folder of the project"
    )


def _log4j_option() -> str:
    return f"-Dlog4j2.configurationFile={_file_uri('log4j2.properties')}"


def _file_uri(name: str) -> str:
    return f"file:{_conf_file(name)}"


def _loopback() -> list[str]:
    """Return options that keep a local driver off the network."""
    options = ("spark.driver.bindAddress=127.0.0.1", "spark.driver.host=127.0.0.1")
    return [part for option in options for part in ("--conf", option)]
