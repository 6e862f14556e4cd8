"""The verbs `taste` and `recompute`: what is known of a listener, and that anew."""

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

import click

from segue.cli_music import JSON_OPTION
from segue.errors import SettingsError
from segue.settings import Settings

_DATE: Final = click.DateTime(["%Y-%m-%d"])
_HORIZON_FIELDS: Final = ("n_listens", "weight", "negative_weight")


class _Instant(click.ParamType):  # type: ignore[type-arg]
    """A time like 2026-05-03T22:10Z; without a zone it is UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; want one like 2026-05-03T22:10Z", param)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


@click.command()
@click.argument("user")
@click.option("--at", type=_Instant(), help="As of then, out of the archive.")
@JSON_OPTION
@click.pass_obj
def taste(settings: Settings, user: str, at: datetime | None, as_json: bool) -> None:
    """Show the taste of listener USER and the list that follows.

    Without --at it is what the stream has written last. With --at it is made anew from
    the archive: everything that USER did up to that time (UTC, or with a zone) counts,
    and nothing after it; index, catalogue and settings are those of today.
    """
    from segue import services, store

    mongo = services.with_mongo_if_any(settings).mongo
    if at is None and mongo.uri is None:
        raise SettingsError(
            "MongoDB, where the stream writes, does not run here; start it with `segue "
            "up`, set SEGUE_MONGO_URI, or give --at to look into the archive"
        )
    if mongo.uri is None:
        told, titles = _rebuilt(settings, user, at, None), {}
    else:
        database = store.connect(mongo)
        with closing(database.client):
            told = (
                _stored(database, user)
                if at is None
                else _rebuilt(settings, user, at, database)
            )
            titles = _titles(database, told)
    if not told:
        when = "" if at is None else f" up to {at.isoformat()}"
        raise click.ClickException(f"nothing is known of listener {user!r}{when}")
    click.echo(json.dumps(told, default=_as_text) if as_json else _page(told, titles))


@click.command()
@click.option("--from", "first", type=_DATE, help="First date; else of the archive.")
@click.option("--to", "last", type=_DATE, help="Last date; else of the archive.")
@click.pass_obj
def recompute(
    settings: Settings, first: datetime | None, last: datetime | None
) -> None:
    """Write panes, tastes and lists anew, out of the archive.

    By Spark, with the functions of the stream; the same as `bin/submit recompute FROM
    TO`. For what the stream never saw: a MongoDB that was lost, a checkpoint that had
    to go, settings of the taste that are others now. It may run beside the stream, be
    killed at any moment, and run again. Prints one line of JSON.
    """
    from segue import services
    from segue.submit import exec_job
    from streaming.archive import dates_of
    from streaming.archive_files import FOLDER

    dates = dates_of(settings.home / FOLDER)
    if not dates:
        raise SettingsError(
            f"no events are archived in {settings.home / FOLDER}; the stream does that"
        )
    since = dates[0] if first is None else first.date()
    until = dates[-1] if last is None else last.date()
    if since > until:
        raise SettingsError(f"--from {since} lies after --to {until}")
    ready = services.with_endpoints(settings)
    exec_job(ready, "recompute", [since.isoformat(), until.isoformat()], _say)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _stored(database: Any, user: str) -> dict[str, Any]:
    from segue import store

    found = database[store.TASTES].find_one({"_id": user})
    listed = database[store.RECOMMENDATIONS].find_one({"_id": user})
    return {**(found or {}), **(listed or {})}


def _rebuilt(
    settings: Settings, user: str, at: datetime | None, database: Any
) -> dict[str, Any]:
    from segue.clock import system_clock
    from segue.track_index import read_track_index
    from streaming.rebuild import rebuild

    index = read_track_index(settings.home / "index")
    made = rebuild(user, at or system_clock(), index, settings, system_clock, database)
    if not made.lists:
        return {}
    told = {**made.tastes[0], **made.lists[0], "at": at}
    # compared with no list that was there
    return {name: value for name, value in told.items() if name != "diff"}


def _titles(database: Any, told: Mapping[str, Any]) -> dict[str, str]:
    from segue import store

    ids = [item["track_id"] for item in told.get("items", [])]
    ids += [seed["track_id"] for seed in told.get("seeds", [])]
    found = database[store.TRACKS].find({"_id": {"$in": ids}}, ("artist", "title"))
    return {x["_id"]: f"{x.get('artist')} — {x.get('title')}" for x in found}


def _page(told: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    def name(track_id: str) -> str:
        return titles.get(track_id, track_id)

    lines = [f"{told['_id']} as of {_as_text(told['newest_event_at'])}"]
    for horizon, each in told["horizons"].items():
        n_listens, weight, against = (each[field] for field in _HORIZON_FIELDS)
        lines.append(
            f"  {horizon:<7}{n_listens:>7} listens, {weight:8.2f} for, "
            f"{against:8.2f} against"
        )
    for seed in told["seeds"]:
        lines.append(f"  seed {seed['share']:4.0%}  {name(seed['track_id'])}")
    for item in told["items"]:
        largest = sorted(item["parts"].items(), key=lambda part: -abs(part[1]))[:3]
        parts = ", ".join(f"{part} {value:+.2f}" for part, value in largest)
        lines.append(
            f"{item['rank']:>3} {item['score']:6.3f}  {name(item['track_id'])}  "
            f"({parts})"
        )
    return "\n".join(lines)


def _as_text(value: Any) -> str:
    from segue.clock import rfc3339

    return rfc3339(value) if isinstance(value, datetime) else str(value)
