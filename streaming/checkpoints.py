"""Checkpoints that know which query they belong to.

Spark's state cannot be read by a query that groups otherwise: it fails with a stack
trace, or worse. So each checkpoint holds what its query depended on, and a query that
is another one refuses it, says what has changed and what to do.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from segue.errors import StreamError
from segue.files import write_atomically
from segue.settings import Settings

_PLAN: Final = "segue-plan.json"
# raise it when stateful plan or schema of a query change
_VERSIONS: Final[Mapping[str, int]] = {"taste": 3, "intake": 3}


def open_checkpoint(settings: Settings, name: str) -> Path:
    """Return the folder of a query's checkpoint, which is new or of the same query.

    Raises
    ------
    StreamError
        When it is of another query.
    """
    folder = settings.home / "checkpoints" / name
    plan = _plan_of(settings, name)
    for old in sorted(folder.parent.glob(f"{name}-v*")):
        raise StreamError(
            _refusal(old, ["it was made by an earlier version"], settings)
        )
    if (folder / _PLAN).exists():
        before = _read(folder / _PLAN)
        damaged = [f"its {_PLAN} is damaged"]
        changes = damaged if before is None else _changes(before, plan)
        if changes:
            raise StreamError(_refusal(folder, changes, settings))
    elif folder.exists() and any(folder.iterdir()):
        raise StreamError(_refusal(folder, [f"it has no {_PLAN}"], settings))
    folder.mkdir(parents=True, exist_ok=True)
    with write_atomically(folder / _PLAN) as file:
        file.write(json.dumps(plan, indent=1).encode())
    return folder


def _plan_of(settings: Settings, name: str) -> dict[str, Any]:
    """Return what the state and the offsets of a query depend on."""
    kafka, stream = settings.kafka, settings.stream
    plan: dict[str, Any] = {"version": _VERSIONS[name]}
    if name == "taste":
        state = {"pane_s": stream.pane_s, "pane_events": stream.pane_events}
        return plan | {"topics": [kafka.events_topic], **state}
    return plan | {"topics": [kafka.events_topic, kafka.history_topic]}


def _read(path: Path) -> dict[str, Any] | None:
    """Return what a checkpoint says of its query; None where that is damaged."""
    try:
        plan = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return plan if isinstance(plan, dict) else None


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} was {before.get(name)}, is {now.get(name)}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def _refusal(folder: Path, changes: list[str], settings: Settings) -> str:
    return (
        f"the checkpoint {folder} is of another query: {'; '.join(changes)}. Set that "
        "back, or move the folder away: the stream then reads Kafka from its beginning "
        f"({settings.kafka.retention_h} hours), and `segue recompute` makes panes, "
        "tastes and lists of what lies before anew"
    )
