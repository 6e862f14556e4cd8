"""What a radio plays next: MongoDB, track index and model in, ranked tracks out."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.kept_out import KeptOut
from dashboard.queries import read_cards
from dashboard.reasons import causes_of, reason
from dashboard.records import ListedTrack, TrackCard
from dashboard.refusals import RefusedError
from dashboard.stations import Origin, read_origin
from models.days import Familiar
from models.exclusions import rows_out
from models.groups import TrackGroups
from models.horizons import Horizon
from models.learned import learned_for
from models.listens import Listen
from models.radio import Listener, Station, plan_radio
from models.ranking import Ranked, Recommendation, rank_plans
from models.taste import Taste, no_taste
from models.taste_fields import taste_in
from segue import store
from segue.clock import Clock, rfc3339
from segue.errors import IndexMissingError
from segue.events import listen_weight
from segue.held_model import current_model
from segue.settings import TasteSettings
from segue.shown import radio_list_id
from segue.store import Document
from segue.track_index import TrackIndex, is_in_space, read_track_index

_MOST_LISTENS: Final = 500
_REACTION: Final = ("track_id", "action", "at")
_BEGINS_HERE: Final = "Where this radio begins"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of a radio.

    Attributes
    ----------
    heard : sequence of str
        Tracks of this session, newest last.
    skipped : sequence of Listen
        Of this session.
    """

    kind: str
    key: str
    familiar: float
    variety: float
    heard: Sequence[str]
    skipped: Sequence[Listen]
    n: int


@dataclass(frozen=True, slots=True)
class Programme:
    """What a station plays next.

    Attributes
    ----------
    as_of : datetime, optional
        Of the newest event that the taste reflects; None without a taste.
    list_id : str
        Names it in playback events.
    model_version : str, optional
        None where no model had a part in it.
    """

    name: str
    as_of: datetime | None
    tracks: Sequence[ListedTrack]
    list_id: str
    model_version: str | None


class Radio:
    """Answers what comes next on a station.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state, with track index and models.
    """

    def __init__(
        self,
        database: AsyncDatabase[Document],
        home: Path,
        settings: TasteSettings,
        kept_out: KeptOut,
        clock: Clock,
    ) -> None:
        self._database, self._home = database, home
        self._settings, self._kept_out, self._clock = settings, kept_out, clock

    async def play(self, user_id: str, wish: Wish) -> Programme:
        """Return what comes next for somebody.

        Raises
        ------
        RefusedError
            Where nothing is known of which a station could be made.
        """
        index = await self._index()
        origin, (as_of, listener), groups = await asyncio.gather(
            read_origin(self._database, user_id, wish.kind, wish.key),
            self._listener(user_id, wish, index),
            self._kept_out.groups(index),
        )
        seeds = [name for name in origin.track_ids if name in index.row_of]
        if origin.track_ids and not seeds:
            detail = f"“{origin.name}” was not analysed yet; try again in a while"
            raise RefusedError(404, "not_analysed", detail)
        station = Station(seeds, wish.familiar, wish.variety, wish.n)
        made = await asyncio.to_thread(self._tune, station, listener, index, groups)
        rows = made.rows
        if not rows and not seeds and as_of is None:
            detail = "nothing is known of your taste yet; play something first"
            raise RefusedError(404, "no_taste", detail)
        cards = await read_cards(self._database, _named(rows))
        out = rows_out(listener.disliked, (), listener.blocks, index, groups)
        may_begin = bool(seeds) and index.row_of[seeds[0]] not in out
        first = _first(origin, wish) if may_begin else None
        told = "" if as_of is None else rfc3339(as_of)
        return Programme(
            origin.name,
            as_of,
            _listed(rows, cards, first, bool(seeds)),
            radio_list_id(wish.kind, wish.key, told),
            made.model_version,
        )

    async def warm_up(self) -> None:
        """Read index and groups and rank once, so that who asks first need not wait."""
        index = await self._index()
        groups = await self._kept_out.groups(index)
        taste = no_taste(index.vectors.shape[1])
        nobody = Listener(dict.fromkeys(Horizon, taste), self._clock())
        station = Station(index.track_ids[:1], familiar=0.0, variety=0.5, n=10)
        await asyncio.to_thread(self._tune, station, nobody, index, groups)

    async def _index(self) -> TrackIndex:
        try:
            return await asyncio.to_thread(read_track_index, self._home / "index")
        except IndexMissingError:
            detail = "no music was analysed yet; `segue features build DIR` does it"
            raise RefusedError(503, "no_index", detail) from None

    def _tune(
        self,
        station: Station,
        listener: Listener,
        index: TrackIndex,
        groups: TrackGroups,
    ) -> Ranked:
        model = current_model(self._home)
        learned = None if model is None else learned_for(model, index)
        plan, ours = plan_radio(
            station, listener, index, groups, self._settings, learned
        )
        return rank_plans([plan], index, groups, ours)[0]

    async def _listener(
        self, user_id: str, wish: Wish, index: TrackIndex
    ) -> tuple[datetime | None, Listener]:
        now = self._clock()
        since = now - timedelta(seconds=self._settings.horizon_s)
        taste, past, plays, reacted, disliked, blocks = await asyncio.gather(
            self._database[store.TASTES].find_one({"_id": user_id}),
            self._database[store.TASTE_PAST].find_one(
                {"_id": user_id}, ("sums.familiar",)
            ),
            self._plays(user_id, since),
            self._reacted(user_id, since),
            self._kept_out.disliked(user_id),
            self._kept_out.blocks(user_id),
        )
        as_of = None if taste is None else taste["newest_event_at"]
        skips = [
            skip for skip in wish.skipped if as_of is None or skip.listened_at > as_of
        ]
        return as_of, Listener(
            tastes=await self._tastes(taste, index),
            as_of=as_of or now,
            listens=sorted([*plays, *reacted], key=lambda x: x.listened_at),
            skips=skips,
            heard=self._heard(plays, wish, now),
            session=_session(wish),
            familiar=_familiar(past or {}),
            disliked=disliked,
            blocks=blocks,
        )

    async def _plays(self, user_id: str, since: datetime) -> list[Listen]:
        wanted = {"user_id": user_id, "listened_at": {"$gt": since}}
        found = self._database[store.LISTENS].find(wanted, Listen._fields)
        rows = (
            await found.sort("listened_at", DESCENDING).limit(_MOST_LISTENS).to_list()
        )
        return [Listen(*(row[name] for name in Listen._fields)) for row in rows[::-1]]

    async def _reacted(self, user_id: str, since: datetime) -> list[Listen]:
        wanted = {"user_id": user_id, "at": {"$gt": since}}
        found = self._database[store.REACTIONS].find(wanted, _REACTION)
        rows = await found.sort("at", DESCENDING).limit(_MOST_LISTENS).to_list()
        said = [
            Listen(row["track_id"], listen_weight(row["action"], None, None), row["at"])
            for row in rows
        ]
        return [each for each in said if each.weight]

    async def _tastes(
        self, taste: Document | None, index: TrackIndex
    ) -> dict[Horizon, Taste]:
        """Return what is stored; nothing where it is of another space."""
        if taste is not None:
            folder, version = self._home / "index", taste["index_version"]
            if await asyncio.to_thread(is_in_space, folder, version, index):
                return {each: taste_in(taste["horizons"][each]) for each in Horizon}
        return dict.fromkeys(Horizon, no_taste(index.vectors.shape[1]))

    def _heard(self, plays: Sequence[Listen], wish: Wish, now: datetime) -> list[str]:
        since = now - timedelta(seconds=self._settings.heard_s)
        lately = [each.track_id for each in plays if each.listened_at >= since]
        skipped = [each.track_id for each in wish.skipped]
        latest_first = reversed([*lately, *skipped, *wish.heard])
        return [*dict.fromkeys(latest_first)][::-1]


def _session(wish: Wish) -> list[str]:
    skipped = {each.track_id for each in wish.skipped}
    return [name for name in wish.heard if name not in skipped]


def _familiar(past: Document) -> list[Familiar]:
    told = past.get("sums", {}).get("familiar", [])
    return [Familiar(e["track_id"], e["weight"], e["day"].date()) for e in told]


def _named(rows: Iterable[Recommendation]) -> set[str]:
    told = ((row.track_id, row.seed, row.neighbour, row.follows) for row in rows)
    return {name for names in told for name in names if name is not None}


def _first(origin: Origin, wish: Wish) -> TrackCard | None:
    """Return the track that a station is named after, until it was heard."""
    is_heard = origin.card is not None and origin.card.track_id in wish.heard
    return None if is_heard else origin.card


def _listed(
    rows: Iterable[Recommendation],
    cards: Mapping[str, TrackCard],
    first: TrackCard | None,
    is_station: bool,
) -> list[ListedTrack]:
    """Return the rows as they are played, without tracks that left the library."""
    begins_with = None if first is None else first.track_id
    own = [row for row in rows if row.track_id == begins_with]
    others = [r for r in rows if r.track_id in cards and r.track_id != begins_with]
    listed = list[ListedTrack]()
    if first is not None:
        score, parts = (own[0].score, own[0].parts) if own else (None, {})
        listed.append(ListedTrack(first, 1, score, parts, (_BEGINS_HERE,)))
    return listed + [
        ListedTrack(
            cards[row.track_id],
            rank,
            row.score,
            row.parts,
            reason(_reasons_of(row, is_station), cards, {}),
            causes=causes_of(_speakers(row), cards),
        )
        for rank, row in enumerate(others, start=1 + len(listed))
    ]


def _reasons_of(row: Recommendation, is_station: bool) -> dict[str, Any]:
    """Return what a reason is made from; a station's seeds need not have been heard."""
    told = {"track_id": row.track_id, "parts": row.parts, **_speakers(row)}
    return {**told, "seed": None, "begins_at": row.seed} if is_station else told


def _speakers(row: Recommendation) -> dict[str, str | None]:
    return {name: getattr(row, name) for name in ("seed", "neighbour", "follows")}
