import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pydantic import SecretStr

from segue import submit
from segue.errors import MissingProgramError, SettingsError, SparkJobError
from segue.settings import Settings, load_settings
from segue.submit import (
    JOBS,
    build_wheel,
    job_environment,
    prepare_job,
    run_job,
    spark_submit_argv,
)

WHEEL = Path("/wheels/segue.zip")


@pytest.fixture
def home(tmp_path: Path, jars: Path) -> Path:
    (tmp_path / "jars").symlink_to(jars)
    return tmp_path


def value_of(argv: list[str], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_the_stream_gets_kafkas_jars_our_wheel_and_our_settings(home: Path) -> None:
    argv = spark_submit_argv(Settings(home=home), "stream", ["--once"], WHEEL)
    assert argv[0].endswith("pyspark/bin/spark-submit")
    assert value_of(argv, "--master") == "local[2,4]"
    assert value_of(argv, "--py-files") == str(WHEEL)
    assert value_of(argv, "--properties-file").endswith("conf/spark-defaults.conf")
    jars = value_of(argv, "--jars").split(",")
    assert any("spark-sql-kafka" in jar for jar in jars)
    assert all(Path(jar).exists() for jar in jars)
    assert argv[-2:] == [str(submit.ROOT / "streaming" / "job.py"), "--once"]


def test_a_job_without_kafka_needs_no_jars(tmp_path: Path) -> None:
    argv = spark_submit_argv(Settings(home=tmp_path), "features", [], WHEEL)
    assert "--jars" not in argv
    with pytest.raises(MissingProgramError, match="bin/setup"):
        spark_submit_argv(Settings(home=tmp_path), "stream", [], WHEEL)


@pytest.mark.parametrize("job", JOBS)
def test_the_program_of_each_job_is_there(job: str) -> None:
    assert (submit.ROOT / JOBS[job].file).exists()


def test_a_driver_beside_a_cluster_is_not_bound_to_loopback(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"home": tmp_path, "spark": {"master": "spark://127.0.0.1:7077"}}
    )
    argv = spark_submit_argv(settings, "features", [], WHEEL)
    assert not [part for part in argv if "bindAddress" in part]
    local = spark_submit_argv(Settings(home=tmp_path), "features", [], WHEEL)
    assert "spark.driver.bindAddress=127.0.0.1" in local


def test_an_unknown_job_is_an_error_that_names_the_jobs(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no job 'strean'; there are: stream"):
        spark_submit_argv(Settings(home=tmp_path), "strean", [], WHEEL)


def test_a_password_goes_by_environment_and_not_by_command_line(
    home: Path, java: Path
) -> None:
    settings = Settings.model_validate(
        {"home": home, "mongo": {"uri": SecretStr("mongodb://ada:geheim@db/")}}
    )
    argv, env = prepare_job(settings, "stream", [], print, {"PATH": "/bin"})
    assert "geheim" not in " ".join(argv)
    loaded = load_settings(env)
    assert loaded.mongo.uri == settings.mongo.uri
    assert env["PATH"] == "/bin"
    assert env["PYSPARK_PYTHON"] == env["PYSPARK_DRIVER_PYTHON"] == sys.executable


def test_java_and_spark_are_ours_whatever_the_machine_has_set(
    tmp_path: Path, java: Path
) -> None:
    others = {"SPARK_HOME": "/opt/old-spark", "JAVA_HOME": "/opt/old-java"}
    env = job_environment(Settings(home=tmp_path), java, others)
    assert Path(env["SPARK_HOME"], "bin", "spark-submit").exists()
    assert Path(env["JAVA_HOME"], "bin", "java").exists()


@pytest.mark.parametrize(
    ("name", "ours"),
    [("MALLOC_ARENA_MAX", "2"), ("ARROW_DEFAULT_MEMORY_POOL", "system")],
)
def test_native_memory_is_given_back_unless_the_machine_says_otherwise(
    tmp_path: Path, java: Path, name: str, ours: str
) -> None:
    settings = Settings(home=tmp_path)
    assert job_environment(settings, java, {})[name] == ours
    assert job_environment(settings, java, {name: "theirs"})[name] == "theirs"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what the wheel is made of, which nobody edits meanwhile."""
    root = tmp_path / "sources"
    for package in submit.PACKAGES:
        shutil.copytree(submit.ROOT / package, root / package)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(submit.ROOT / name, root)
    return root


def import_from(wheel: Path) -> str:
    """Import from the wheel, with nothing else of ours on the path."""
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); import segue.events as e"
    answer = subprocess.run(
        [sys.executable, "-I", "-c", f"{code}; print(e.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


@pytest.mark.slow
def test_the_wheel_is_built_when_it_is_missing_or_old(
    tmp_path: Path, sources: Path
) -> None:
    lines: list[str] = []
    folder = tmp_path / "wheel"
    wheel = build_wheel(folder, lines.append, sources)
    assert [path.name for path in folder.iterdir()] == [wheel.name]
    assert import_from(wheel).startswith(str(wheel))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {f"{package}/__init__.py" for package in submit.PACKAGES} <= set(names)
    assert not [name for name in names if name.startswith("tests")]

    inode = wheel.stat().st_ino
    build_wheel(folder, lines.append, sources)
    assert wheel.stat().st_ino == inode
    (sources / "segue" / "added.py").write_text("")
    build_wheel(folder, lines.append, sources)
    assert wheel.stat().st_ino != inode
    with zipfile.ZipFile(wheel) as archive:
        assert "segue/added.py" in archive.namelist()
    assert lines == ["building our wheel for Spark …"] * 2


def test_installed_packages_are_packed_as_they_are(
    tmp_path: Path, sources: Path
) -> None:
    """In site-packages there is no setup.cfg from which to build."""
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        (sources / name).unlink()
    wheel = build_wheel(tmp_path / "wheel", print, sources)
    assert import_from(wheel).startswith(str(wheel))


# what a job sees, on the driver and on a worker
LOOK = """
import json, os, sys
from pyspark.sql import SparkSession
from segue.settings import load_settings

def on_worker(_):
    import segue.events
    return [(sys.executable, any("segue-" in folder for folder in sys.path))]

context = SparkSession.builder.getOrCreate().sparkContext
loader = context._jvm.Thread.currentThread().getContextClassLoader()
source = "org.apache.spark.sql.kafka010.KafkaSourceProvider"
seen = {
    "conf": dict(context.getConf().getAll()),
    "worker": context.parallelize([0], 1).flatMap(on_worker).collect()[0],
    "bootstrap": load_settings(os.environ).kafka.bootstrap,
    "source": context._jvm.java.lang.Class.forName(source, True, loader).getName(),
}
open(sys.argv[1], "w").write(json.dumps(seen))
context.stop()
"""


@pytest.mark.spark
@pytest.mark.slow
def test_spark_submit_runs_a_job_with_wheel_jars_and_settings(home: Path) -> None:
    settings = Settings.model_validate(
        {"home": home, "kafka": {"bootstrap": "127.0.0.1:1"}}
    )
    argv, env = prepare_job(settings, "stream", [str(home / "seen.json")], print)
    program = home / "look.py"
    program.write_text(LOOK)
    argv[-2] = str(program)
    subprocess.run(argv, env=env, check=True, cwd=home)

    seen = json.loads((home / "seen.json").read_text())
    assert seen["worker"] == [sys.executable, True]
    assert seen["bootstrap"] == "127.0.0.1:1"
    assert seen["source"].endswith("KafkaSourceProvider")
    assert seen["conf"]["spark.sql.shuffle.partitions"] == "2"
    assert seen["conf"]["spark.driver.host"] == "127.0.0.1"


@pytest.mark.spark
@pytest.mark.slow
def test_a_job_that_fails_is_an_error_that_says_how_to_run_it(home: Path) -> None:
    settings = Settings.model_validate(
        {"home": home, "spark": {"master": "no-such-master"}}
    )
    with pytest.raises(SparkJobError, match="bin/submit features /music"):
        run_job(settings, "features", ["/music"], print)
