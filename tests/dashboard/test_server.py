import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.client import connect

from dashboard.server import listening_socket
from segue.errors import PortInUseError
from segue.settings import DashboardSettings, MongoSettings, Settings
from tests.dashboard.site import ADA, cookie_header, logged_in

Running = tuple[subprocess.Popen[str], int]
PROGRAM = """
import sys
from pydantic import SecretStr
from dashboard.server import serve
from segue.settings import Settings

class NoSink:
    def publish(self, *events):
        raise AssertionError(events)

mongo = {"uri": SecretStr(sys.argv[2]), "database": sys.argv[3], "timeout_ms": 500}
dashboard = {"port": int(sys.argv[1]), "proxy": sys.argv[4] or None}
serve(Settings(dashboard=dashboard, mongo=mongo), NoSink(), NoSink())
print("after serve", flush=True)
"""


def test_a_used_port_is_an_error_that_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        wanted = f"127.0.0.1:{port} .*SEGUE_DASHBOARD_PORT"
        with (
            pytest.raises(PortInUseError, match=wanted),
            listening_socket(DashboardSettings(port=port)),
        ):
            pass


@pytest.fixture
def ours(settings: Callable[..., Settings]) -> MongoSettings:
    return settings().mongo


@pytest.fixture
def running(ours: MongoSettings) -> Iterator[Running]:
    with _running(ours) as running:
        yield running


@contextmanager
def _running(ours: MongoSettings, proxy: str = "") -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert ours.uri is not None
    uri = ours.uri.get_secret_value()
    arguments = [sys.executable, "-c", PROGRAM, str(port), uri, ours.database]
    arguments.append(proxy)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as program:
        try:
            _wait(port)
            yield program, port
        finally:
            program.kill()


@pytest.mark.mongo
@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_three_seconds_with_open_sockets(
    running: Running,
    ours: MongoSettings,
    stop: signal.Signals,
) -> None:
    program, port = running
    cookie = {"Cookie": cookie_header(logged_in(ours, ADA))}
    address = f"ws://127.0.0.1:{port}/ws/live"
    with (
        socket.create_connection(("127.0.0.1", port)),  # an idle one
        connect(address, additional_headers=cookie, proxy=None) as live,
    ):
        live.send('{"page": "analytics-now"}')
        live.recv(timeout=10)
        started = time.monotonic()
        program.send_signal(stop)
        assert program.wait(10) == 0
        assert time.monotonic() - started < 3
    assert program.stdout is not None
    assert program.stdout.read() == "after serve\n"


@pytest.mark.mongo
@pytest.mark.slow
@pytest.mark.parametrize(
    ("proxy", "of_another"), [("", 429), ("127.0.0.2", 429), ("127.0.0.1", 401)]
)
def test_only_the_proxy_that_is_named_says_who_tries_to_log_in(
    ours: MongoSettings, proxy: str, of_another: int
) -> None:
    with _running(ours, proxy) as (_, port):
        tries = [_log_in(port, "10.0.0.1") for _ in range(11)]
        assert tries == [401] * 10 + [429]
        assert _log_in(port, "10.0.0.2") == of_another


def _log_in(port: int, address: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    wrong = json.dumps({"name": "ada", "password": "wrong swans"})
    connection.request("POST", "/api/log-in", wrong, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def _wait(port: int) -> None:
    for _ in range(300):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except ConnectionError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise TimeoutError(f"no dashboard on port {port}")
