"""The verb `activity`: counts of what was played, by span of time."""

from contextlib import closing
from datetime import date, datetime
from typing import Final

import click

from segue.errors import MongoUnreachableError, SettingsError
from segue.settings import Settings

_DATE: Final = click.DateTime(["%Y-%m-%d"])


@click.group()
def activity() -> None:
    """Count what was played, for the analytics pages."""


@activity.command()
@click.option("--from", "first", type=_DATE, help="First date; else of the archive.")
@click.option("--to", "last", type=_DATE, help="Last date; else of the archive.")
@click.pass_obj
def rebuild(settings: Settings, first: datetime | None, last: datetime | None) -> None:
    """Count all that was played anew, out of the archive.

    For an archive older than the counts, after MongoDB was lost, or when the catalogue
    has other artists or styles. The stream may run meanwhile. It may be stopped and run
    again.
    """
    from segue import indexes, services, store
    from streaming.activity_rebuild import rebuild_activity

    since = date.min if first is None else first.date()
    until = date.max if last is None else last.date()
    if since > until:
        raise SettingsError(f"--from {since} lies after --to {until}")
    ready = services.with_mongo_if_any(settings)
    if ready.mongo.uri is None:
        raise MongoUnreachableError(
            "MongoDB, where the counts are, does not run here; start it with `segue "
            "up`, or set SEGUE_MONGO_URI"
        )
    database = store.connect(ready.mongo)
    with closing(database.client):
        indexes.prepare(database)
        n_dates = rebuild_activity(ready, database, since, until)
    click.echo(f"{n_dates} dates counted")
