"""`segue dashboard` beside the services of a measurement, and who logs in there."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Final

from benches.stack import Stack
from segue import store
from segue.accounts import Login, open_login, run_with
from segue.clock import system_clock
from segue.passwords import NOBODY
from segue.roles import Role
from segue.services import process
from segue.services.ports import free_port
from segue.settings import to_environment

NAME: Final = "dashboard"
_READY_S: Final = 60


def log_in(running: Stack, name: str, role: Role = Role.LISTENER) -> Login:
    """Make an account that has no password, and log in."""
    account = {
        "_id": name,
        "folded": name,
        "password": NOBODY,
        "role": role.value,
        "created_at": system_clock(),
    }
    store.upsert(running.database, store.USERS, [account])
    mongo = running.settings.mongo
    return run_with(mongo, lambda database: open_login(database, name, system_clock, 1))


@contextmanager
def served(running: Stack) -> Iterator[int]:
    """Run the dashboard; yields its port."""
    port = free_port()
    try:
        start(running, port)
        yield port
    finally:
        process.stop(running.settings.home, NAME)


def start(running: Stack, port: int) -> process.Child:
    """Start the dashboard and wait until it answers."""
    environment = {
        **os.environ,
        **to_environment(running.settings),
        "SEGUE_DASHBOARD_PORT": str(port),
    }
    argv = [sys.executable, "-m", "segue", "dashboard"]
    child = process.start(running.settings.home, NAME, argv, environment)
    process.wait_until_ready(child, lambda: ask_health(port), _READY_S)
    return child


def cookie_of(login: Login) -> str:
    """Return the header that a browser sends."""
    return "; ".join(f"{each['name']}={each['value']}" for each in login.cookies())


def ask_health(port: int) -> bool:
    """Tell whether the dashboard answers."""
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
