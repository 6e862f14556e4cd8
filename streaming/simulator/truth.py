"""The truth beside the events: JSON lines of what only the simulator knows.

======== =============================================================================
kind     fields
======== =============================================================================
run      `run_id seed start index_version`
listener `user_id stages: [{at, drift_s, tracks}] shares`: where the regions lie, by the
         tracks in their centres, from which instant on, reached at once or over a time
play     `play_id user_id track_id at closeness chosen`: cosine with the nearest region,
         and why it was played: `taste`, `new`, `artist` or `list`
fault    `event_id fault`: a message that was sent twice, late, out of order or broken
end      `counts`
======== =============================================================================
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from segue.clock import rfc3339
from segue.errors import SimulationError
from segue.track_index import TrackIndex
from streaming.simulator.crowd import Crowd
from streaming.simulator.faults import Sent
from streaming.simulator.turns import Play


@dataclass(frozen=True)
class Run:
    """What tells one run from another."""

    run_id: str
    seed: int
    start: datetime
    index_version: str

    def line(self) -> bytes:
        """Return the line that says so."""
        start = rfc3339(self.start)
        return _line("run", vars(self) | {"start": start})


def listener_lines(crowd: Crowd, index: TrackIndex, start: datetime) -> Iterator[bytes]:
    """Yield one line a listener."""
    for number, user_id in enumerate(crowd.user_ids):
        change_s = [0.0, *crowd.change_s[number].tolist()]
        drift_s = [0.0, *crowd.drift_s[number].tolist()]
        stages = [
            {
                "at": rfc3339(start + timedelta(seconds=at_s)),
                "drift_s": round(over_s, 3),
                "tracks": [index.track_ids[row] for row in rows],
            }
            for at_s, over_s, rows in zip(
                change_s, drift_s, crowd.centres[number].tolist(), strict=True
            )
        ]
        shares = [round(share, 3) for share in crowd.shares[number].tolist()]
        yield _line(
            "listener", {"user_id": user_id, "stages": stages, "shares": shares}
        )


def play_line(play: Play) -> bytes:
    """Return the line of a play."""
    fields = {
        "kind": "play",
        "play_id": play.play_id,
        "user_id": play.user_id,
        "track_id": play.track_id,
        "at": rfc3339(play.at),
        "closeness": round(play.closeness, 4),
        "chosen": play.chosen,
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def fault_line(sent: Sent) -> bytes:
    """Return the line of a message that has a fault."""
    return _line("fault", {"event_id": sent.event_id, "fault": sent.fault})


def end_line(counts: Mapping[str, int]) -> bytes:
    """Return the last line."""
    return _line("end", {"counts": dict(counts)})


def read_truth(path: Path, index: TrackIndex) -> tuple[Run, Crowd]:
    """Read a run and its listeners; what they do besides their taste is not in it.

    Raises
    ------
    SimulationError
        When the file is no truth, or speaks of another index.
    """
    lines = _read(path)
    told = next(lines, {})
    if told.pop("kind", None) != "run":
        raise SimulationError(f"{path} does not begin as the truth of a run does")
    run = Run(**told | {"start": datetime.fromisoformat(told["start"])})
    if run.index_version != index.version:
        raise SimulationError(
            f"{path} is about the index {run.index_version}, this one is "
            f"{index.version}; simulate again"
        )
    listeners = [line for line in lines if line["kind"] == "listener"]
    return run, _crowd_of(listeners, run.start, index)


def _crowd_of(
    listeners: list[dict[str, Any]], start: datetime, index: TrackIndex
) -> Crowd:
    def since_start_s(text: str) -> float:
        return (datetime.fromisoformat(text) - start).total_seconds()

    stages = [listener["stages"] for listener in listeners]
    nothing = np.zeros(len(listeners))
    return Crowd(
        user_ids=[listener["user_id"] for listener in listeners],
        centres=np.array(
            [
                [[index.row_of[t] for t in stage["tracks"]] for stage in each]
                for each in stages
            ]
        ),
        shares=np.array([listener["shares"] for listener in listeners]),
        change_s=np.array(
            [[since_start_s(stage["at"]) for stage in each[1:]] for each in stages]
        ),
        drift_s=np.array(
            [[stage["drift_s"] for stage in each[1:]] for each in stages], float
        ),
        from_list=nothing,
        loyalty=nothing,
        novelty=nothing,
        likes=nothing,
        shift_h=nothing,
    )


def _read(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            yield from map(orjson.loads, file)
    except OSError as error:
        raise SimulationError(f"cannot read {path}: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise SimulationError(f"{path} is not JSON lines: {error}") from None


def _line(kind: str, fields: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"kind": kind, **fields}, option=orjson.OPT_APPEND_NEWLINE)
