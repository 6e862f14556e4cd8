"""What the streaming job says when it cannot start."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from segue.errors import (
    IndexMissingError,
    KafkaUnreachableError,
    MongoUnreachableError,
    StreamError,
)
from segue.services.ports import free_port
from segue.settings import Settings
from segue.track_index import write_track_index
from streaming.job import only_driver, run
from tests.conftest import SettingsFactory
from tests.factories import create_index


def test_no_index_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="segue features build DIR"):
        run(Settings(home=tmp_path))


def test_no_kafka_is_a_clear_error(settings: SettingsFactory) -> None:
    address = f"127.0.0.1:{free_port()}"
    ready = settings(kafka={"bootstrap": address, "timeout_ms": 500})
    write_track_index(ready.home / "index", create_index())
    with pytest.raises(KafkaUnreachableError, match=address):
        run(ready)


@pytest.mark.kafka
def test_no_mongo_is_a_clear_error_without_the_password(
    settings: SettingsFactory,
) -> None:
    uri = SecretStr(f"mongodb://ada:secret@127.0.0.1:{free_port()}/")
    ready = settings(mongo={"uri": uri, "timeout_ms": 500})
    write_track_index(ready.home / "index", create_index())
    with pytest.raises(MongoUnreachableError, match="SEGUE_MONGO_URI") as caught:
        run(ready)
    assert "secret" not in str(caught.value)


def test_a_second_job_on_the_same_home_is_turned_away(tmp_path: Path) -> None:
    with (
        only_driver(tmp_path),
        pytest.raises(StreamError, match="another streaming job"),
        only_driver(tmp_path),
    ):
        pass
    with only_driver(tmp_path):
        pass
