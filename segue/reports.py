"""What evaluations found, as files that others can read: the last of each kind."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from segue.clock import rfc3339
from segue.errors import ModelError
from segue.files import write_atomically

FOLDER: Final = "reports"
KINDS: Final = ("evaluation", "replay")
"""`segue evaluate`, and the same with `--replay`."""
_MOST_BYTES: Final = 16 << 20


class Report(NamedTuple):
    """What one evaluation found.

    Attributes
    ----------
    made_at : str
        RFC 3339.
    found : mapping
        As `segue evaluate --json` prints it.
    """

    kind: str
    made_at: str
    found: Mapping[str, Any]


def keep_report(
    home: Path, kind: str, found: Mapping[str, Any], made_at: datetime
) -> None:
    """Keep what an evaluation found, in the place of the last of its kind.

    Raises
    ------
    ModelError
        When it cannot be written.
    """
    path = home / FOLDER / f"{kind}.json"
    told = {"made_at": rfc3339(made_at), "found": found}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as file:
            file.write(json.dumps(told).encode())
    except OSError as error:
        raise ModelError(
            f"cannot keep the report in {path}: {error.strerror}; make room, or set "
            "SEGUE_HOME to another folder"
        ) from error


def read_report(home: Path, kind: str) -> Report | None:
    """Return the last report of a kind; None where there is none.

    Raises
    ------
    ModelError
        Where it cannot be read.
    """
    path = home / FOLDER / f"{kind}.json"
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES >> 20} MiB")
        told = json.loads(path.read_bytes())
        made_at, found = told["made_at"], told["found"]
        if not isinstance(made_at, str) or not isinstance(found, dict):
            raise TypeError("it is no report")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"the report {path.name} is damaged ({error}); run `segue evaluate` again"
        ) from None
    return Report(kind, made_at, found)
