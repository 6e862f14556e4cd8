"""Take out what is forgotten: of the archive, the history and the stored panes.

What comes after a rule is left out where it is written. What was stored before it is
taken out here, once, by the query that counts; a crash leaves the rule open, and the
next batch does it again.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pymongo.database import Database
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from models.forgetting import ForgetRule
from segue import store
from segue.clock import Clock
from segue.events import Action
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex, read_track_index
from streaming.archive_forgetting import forget_archived
from streaming.forget_rules import (
    conditions_of,
    listens_under,
    read_new_rules,
    read_rules,
    write_rules,
)
from streaming.outcomes import forget_outcomes
from streaming.panes import Pane, without_forgotten
from streaming.past import renew_past
from streaming.rewriting import rewrite
from streaming.said import forget_said
from streaming.updating import refresh_list


def keep_rules(accepted: DataFrame, database: Database[Document]) -> None:
    """Keep what the `forgotten` events among the accepted ones say."""
    said = accepted.where(F.col("action") == Action.FORGOTTEN.value)
    rows = said.select(
        *("event_id", "user_id", "action", "track_id", "play_id", "session_id"),
        *("event_time", "scope", "until"),
    )
    write_rules(database, (row.asDict() for row in rows.toLocalIterator()))


def forget_new(
    spark: SparkSession,
    database: Database[Document],
    settings: Settings,
    clock: Clock,
) -> None:
    """Take out what new rules cover, and bring their listeners' lists up to date."""
    ids, rules = read_new_rules(database)
    if not ids:
        return
    index = read_track_index(settings.home / "index")
    every_rule = read_rules(database, rules)
    for user_id, held in rules.items():
        for rule in held:
            database[store.LISTENS].delete_many(listens_under(user_id, rule))
        forget_said(database, user_id, held)
        wait_s = settings.stream.hours_wait_s
        forget_outcomes(database, user_id, held, wait_s, clock)
        forget_panes(database, user_id, held, index, clock)
        renew_past(database, user_id, every_rule, index, settings)
        refresh_list(database, user_id, index, settings, clock)
    forget_archived(spark, rules, settings)
    database[store.FORGETS].update_many(
        {"_id": {"$in": ids}}, {"$set": {"done_at": clock()}}
    )


def forget_panes(
    database: Database[Document],
    user_id: str,
    rules: Iterable[ForgetRule],
    index: TrackIndex,
    clock: Clock,
) -> None:
    """Rewrite the listener's panes that hold something forgotten.

    Open panes may be written anew by the other query at any moment: then this one is
    read again.
    """
    held = list(rules)

    def forget(pane: Pane) -> Pane:
        return without_forgotten(pane, held)

    for pane_id in list(_touched(database, user_id, held)):
        rewrite(database, pane_id, forget, index, clock)


def _touched(
    database: Database[Document], user_id: str, rules: Iterable[ForgetRule]
) -> Iterator[Any]:
    alternatives = [
        {"entries": {"$elemMatch": conditions_of(rule, "event_time")}} for rule in rules
    ]
    wanted = {"user_id": user_id, "$or": alternatives}
    for found in database[store.TASTE_WINDOWS].find(wanted, ("_id",)):
        yield found["_id"]
