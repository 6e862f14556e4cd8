"""Accounts and their verbs, on a real MongoDB."""

import json
import os
import stat
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from segue import store
from segue.accounts import (
    identify,
    log_in,
    run_with,
)
from segue.cli import main
from segue.clock import system_clock
from segue.demo_accounts import make_demo_accounts
from segue.errors import AccountError
from segue.passwords import NOBODY
from segue.roles import Identity, Role
from segue.settings import Settings, to_environment

pytestmark = pytest.mark.mongo


def call(ours: Settings, *args: str, given: str = "") -> Result:
    environment = {**os.environ, **to_environment(ours)}
    return CliRunner().invoke(main, ["account", *args], env=environment, input=given)


def entered(ours: Settings, name: str, password: str) -> Identity | None:
    login = run_with(
        ours.mongo, lambda d: log_in(d, name, password, system_clock, days=1)
    )
    return run_with(ours.mongo, lambda d: identify(d, login.token, system_clock))


def test_an_admin_makes_changes_and_lists_accounts(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    made = call(
        ours,
        "add",
        "mara",
        "--role",
        "analyst",
        "--password-stdin",
        given="seven swans\n",
    )
    assert made.exit_code == 0, made.output
    assert entered(ours, "mara", "seven swans") == Identity("mara", Role.ANALYST)
    assert call(ours, "role", "mara", "admin").exit_code == 0
    assert (
        call(ours, "password", "mara", given="eight swans\neight swans\n").exit_code
        == 0
    )
    with pytest.raises(AccountError, match="no account has this name and"):
        entered(ours, "mara", "seven swans")
    assert entered(ours, "mara", "eight swans") == Identity("mara", Role.ADMIN)
    (listed,) = json.loads(call(ours, "list", "--json").output)
    assert (listed["name"], listed["role"]) == ("mara", "admin")


@pytest.mark.parametrize(
    ("args", "given", "said"),
    [
        (["add", "a b", "--password-stdin"], "seven swans", "a name has 1 to 64"),
        (["add", "mara", "--password-stdin"], "swan", "8 to 256 characters"),
        (["password", "nobody", "--password-stdin"], "seven swans", "no account"),
        (["role", "nobody", "admin"], "", "no account"),
    ],
)
def test_a_verb_that_cannot_be_done_says_why(
    settings: Callable[..., Settings], args: list[str], given: str, said: str
) -> None:
    result = call(settings(), *args, given=given)
    assert result.exit_code == 1
    assert said in result.output


def test_a_hash_of_weaker_days_is_made_anew_by_the_next_log_in(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    weak = PasswordHasher(time_cost=1, memory_cost=1024).hash("seven swans")
    database = store.connect(ours.mongo)
    document = {"_id": "ben", "folded": "ben", "password": weak, "role": "listener"}
    database[store.USERS].insert_one(document)
    assert entered(ours, "ben", "seven swans") == Identity("ben", Role.LISTENER)
    (kept,) = database[store.USERS].find()
    assert kept["password"].split("$")[:4] == NOBODY.split("$")[:4]
    assert entered(ours, "ben", "seven swans") is not None
    database.client.close()


def test_the_demo_keeps_its_passwords_and_leaves_others_alone(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    ours.home.mkdir(parents=True)
    call(
        ours,
        "add",
        "admin",
        "--role",
        "admin",
        "--password-stdin",
        given="mine alone\n",
    )
    first = make_demo_accounts(ours)
    assert [(each.name, each.role) for each in first] == [
        ("you", Role.LISTENER),
        ("analyst", Role.ANALYST),
    ]
    assert make_demo_accounts(ours) == first
    for each in first:
        assert entered(ours, each.name, each.password) == Identity(each.name, each.role)
    assert entered(ours, "admin", "mine alone") == Identity("admin", Role.ADMIN)
    mode = stat.S_IMODE((ours.home / "demo-accounts.json").stat().st_mode)
    assert mode == 0o600


def test_accented_passwords_are_one_however_they_are_typed(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    call(ours, "add", "ben", "--password-stdin", given="caf\u00e9 au lait\n")
    found: Any = entered(ours, "ben", "cafe\u0301 au lait")
    assert found == Identity("ben", Role.LISTENER)
