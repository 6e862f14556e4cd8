"""A listener's taste and list as of any past instant, out of the archive.

What the archive holds up to an instant goes through the functions that the stream uses,
with today's index, catalogue and rules of forgetting.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pymongo.database import Database

from models.groups import create_groups
from models.listens import Entry, distinct_entries
from segue.clock import Clock
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex
from segue.track_names import find_by_name_id, is_name_id
from streaming.archive import dates_of, read_date
from streaming.archive_files import FOLDER
from streaming.facts import read_groups, read_learned
from streaming.forget_rules import read_rules
from streaming.panes import entry_of
from streaming.tastes import Lists, as_known, create_lists, known_of


def rebuild(
    user_id: str,
    at: datetime,
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
    database: Database[Document] | None,
) -> Lists:
    """Return the documents of a listener's taste and list as of `at`.

    Parameters
    ----------
    at : datetime
        Event time of the last event that may count.
    database : Database or None
        Tells names, artists, albums and recordings of tracks, and what is forgotten;
        without it each track stands alone.

    Returns
    -------
    Lists
        Without any document where the archive has nothing of the listener up to then.
    """
    entries = list(read_entries(settings.home / FOLDER, user_id, at))
    groups = create_groups(index.track_ids, {})
    if database is not None:
        groups = read_groups(database, index)
        rules = read_rules(database, [user_id]).get(user_id, ())
        entries = [e for e in entries if not any(rule.covers(e) for rule in rules)]
        names = {e.track_id for e in entries if is_name_id(e.track_id)}
        aliases = find_by_name_id(database, names) if names else {}
        entries = [as_known(entry, aliases) for entry in entries]
    if not entries:
        return Lists([], [], {})
    known = {user_id: known_of(distinct_entries(entries), settings.taste, index)}
    learned = read_learned(settings.home, index)
    return create_lists(known, index, groups, settings, clock(), None, learned)


def read_entries(folder: Path, user_id: str, at: datetime) -> Iterable[Entry]:
    """Yield a listener's archived events up to `at`."""
    for day in dates_of(folder):
        if day <= at.date():
            for row in read_date(folder, day, user_id).to_pylist():
                entry = entry_of(row)
                if entry.event_time <= at:
                    yield entry
