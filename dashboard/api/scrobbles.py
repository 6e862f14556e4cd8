"""Listens of a scrobbler as playback events; pure."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from dashboard.api.submission import Listen
from segue.clock import rfc3339
from segue.events import Action, PlaybackEvent, listen_weight
from segue.track_names import FoundTrack, name_id_of, named_source

SURFACE: Final = "listenbrainz"
_ID_CHARS: Final = 32


def listen_event(
    listen: Listen, user_id: str, track: FoundTrack | None, now: datetime
) -> PlaybackEvent:
    """Return the event of a play that has ended, or has been heard well enough.

    Its id follows from listener, time and name, so that what a scrobbler sends again is
    the same event, while a track that is heard again is another.
    """
    began_at = listen.began_at or now
    told = (user_id, rfc3339(began_at), listen.name.artist, listen.name.title)
    heard_at = began_at + timedelta(milliseconds=listen.played_ms or 0)
    # a client's clock may run ahead, which the stream would have to refuse
    return _event(
        listen, user_id, track, _action(listen, track), min(heard_at, now), told
    )


def started_event(
    listen: Listen, user_id: str, track: FoundTrack | None, now: datetime
) -> PlaybackEvent:
    """Return the event of a play that has begun."""
    name = listen.name
    told = (user_id, "playing_now", rfc3339(now), name.artist, name.title)
    return _event(listen, user_id, track, Action.STARTED, now, told)


def is_live(event: PlaybackEvent, now: datetime, watermark_s: float) -> bool:
    """Tell whether the stream still waits for events of that time."""
    return now - event.event_time <= timedelta(seconds=watermark_s)


def _event(
    listen: Listen,
    user_id: str,
    track: FoundTrack | None,
    action: Action,
    event_time: datetime,
    told: tuple[str, ...],
) -> PlaybackEvent:
    name = listen.name
    # no name contains a NUL
    digest = hashlib.sha256("\0".join((SURFACE, *told)).encode()).hexdigest()
    event_id = digest[:_ID_CHARS]
    more = {"additional_info": listen.info} if listen.info else {}
    return PlaybackEvent(
        event_id=event_id,
        user_id=user_id,
        track_id=track.track_id if track else name_id_of(name.artist, name.title),
        session_id=f"{SURFACE}-{event_time:%Y%m%d}",
        play_id=event_id,
        action=action,
        event_time=event_time,
        played_ms=listen.played_ms,
        duration_ms=_duration_ms(listen, track),
        source=named_source(SURFACE, name, **more),
    )


def _action(listen: Listen, track: FoundTrack | None) -> Action:
    """Return `completed`, unless the client itself says that it was cut short.

    Scrobblers send a play when half of it, or four minutes, have been heard.
    """
    played_ms, duration_ms = listen.played_ms, _duration_ms(listen, track)
    if played_ms is None or duration_ms is None:
        return Action.COMPLETED
    is_short = listen_weight(Action.SKIPPED, played_ms, duration_ms) < 0
    return Action.SKIPPED if is_short else Action.COMPLETED


def _duration_ms(listen: Listen, track: FoundTrack | None) -> int | None:
    return listen.name.duration_ms or (track.duration_ms if track else None)
