"""What `segue evaluate` is asked on the command line about a replay.

The verb and the job have the same options; the verb hands them on.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple, TypeVar

import click

from segue.errors import SettingsError

_Command = TypeVar("_Command", bound=Callable[..., Any])
_DATE: Final = click.DateTime(["%Y-%m-%d"])
_OPTIONS: Final = (
    click.option(
        "--replay",
        is_flag=True,
        help="Replay the archive through the stream's own code, play by play.",
    ),
    click.option(
        "--from",
        "first",
        type=_DATE,
        help="First date that is replayed; else the last tenth of the events begins.",
    ),
    click.option(
        "--to", "last", type=_DATE, help="Last date that is replayed; else the newest."
    ),
    click.option(
        "--against",
        multiple=True,
        metavar="KEY=VALUE",
        help="Replay a second ranker b beside a, which has this setting: any of "
        "[taste], as taste.variety=0; learning.collaborative_share, "
        "learning.neighbours_share and learning.followers_share, in the place of what "
        "the model learned; model=none. May be said several times.",
    ),
    click.option(
        "--listeners",
        "n_listeners",
        type=click.IntRange(min=1),
        metavar="N",
        help="Replay so many listeners, always the same; else all.",
    ),
)


class Asked(NamedTuple):
    """A replay that is asked for; None: what the archive gives."""

    first: date | None = None
    last: date | None = None
    n_listeners: int | None = None
    against: tuple[str, ...] = ()


def replay_options(command: _Command) -> _Command:
    """Give a command the options of a replay."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked_of(options: Mapping[str, Any], data: tuple[str, Any] | None) -> Asked | None:
    """Return the replay that the options ask for, None where they ask for none.

    Parameters
    ----------
    options : mapping
        The values of `replay_options`.
    data : tuple or None
        What `--data` says.

    Raises
    ------
    SettingsError
        When options do not go together.
    """
    said = {
        "--from": options["first"],
        "--to": options["last"],
        "--against": options["against"],
        "--listeners": options["n_listeners"],
    }
    if not options["replay"]:
        alone = [name for name, value in said.items() if value]
        if alone:
            raise SettingsError(f"{alone[0]} is about a replay; add --replay")
        return None
    if data is not None:
        raise SettingsError(
            f"--data {data[0]} has no events that the stream could take; --replay "
            "goes through the own archive: leave one of the two out"
        )
    first, last = (None if day is None else day.date() for day in _bounds(options))
    if first is not None and last is not None and first > last:
        raise SettingsError(f"--from {first} lies after --to {last}")
    return Asked(first, last, options["n_listeners"], tuple(options["against"]))


def args_of(asked: Asked | None) -> list[str]:
    """Return the same as arguments of a command line."""
    if asked is None:
        return []
    args = ["--replay"]
    for name, value in (
        ("--from", asked.first),
        ("--to", asked.last),
        ("--listeners", asked.n_listeners),
    ):
        args += [] if value is None else [name, str(value)]
    for each in asked.against:
        args += ["--against", each]
    return args


def _bounds(options: Mapping[str, Any]) -> tuple[Any, Any]:
    return options["first"], options["last"]
