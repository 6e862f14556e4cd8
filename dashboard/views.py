"""What each page shows at this moment: documents in, properties of components out."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from dash.development.base_component import Component
from pymongo.asynchronous.database import AsyncDatabase

from dashboard import queries
from dashboard.for_you import for_you_properties
from dashboard.live import FOR_YOU, UP_NEXT, LivePage, View
from dashboard.movement import MovementLog
from dashboard.shown import ShownLists
from dashboard.subscriber import Properties
from segue import store
from segue.clock import Clock, rfc3339
from segue.settings import Settings
from segue.store import Document


class Views:
    """Renders views for the hub; remembers the last lists to show what moved."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        settings: Settings,
        clock: Clock,
        shown: ShownLists,
    ) -> None:
        self._database, self._shown = database, shown
        self._settings = settings
        self._clock = clock
        self._log = MovementLog()

    def pages(self) -> dict[str, LivePage]:
        """Return the pages that are pushed, by name."""
        return {
            FOR_YOU: LivePage(
                self._for_you,
                frozenset({store.RECOMMENDATIONS, store.CATALOGUE}),
                pause_s=0.1,
            ),
            UP_NEXT: LivePage(
                self._up_next, frozenset({store.RECOMMENDATIONS}), pause_s=0.1
            ),
        }

    async def _for_you(self, view: View) -> Properties:
        listener = view.listener
        length = self._settings.taste.n_recommendations
        for_you = await queries.read_for_you(self._database, listener, length)
        self._shown.note_for_you(for_you)
        moved = self._log.note(
            listener, [each.track.track_id for each in for_you.tracks]
        )
        return as_text(for_you_properties(for_you, moved))

    async def _up_next(self, view: View) -> Properties:
        """Return which list is the newest; the player asks for its tracks itself."""
        found = await self._database[store.RECOMMENDATIONS].find_one(
            {"_id": view.listener}, {"updated_at": 1}
        )
        newest = None if found is None else found.get("updated_at")
        moment = "" if newest is None else rfc3339(newest)
        return as_text({UP_NEXT: {"data-updated-at": moment}})


_OF_DASH: Final = ("_", "available_")
"""Attributes of a component that are no properties of it begin so."""


def as_text(props: Mapping[str, Mapping[str, Any]]) -> Properties:
    """Return each component's properties as JSON text."""
    return {name: _json(each) for name, each in props.items()}


def _json(value: Any) -> str:
    # as `to_json_plotly` writes it, which copies all of a page's components first
    how = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, _plain, how).decode()


def _plain(component: Component) -> dict[str, Any]:
    # as `to_plotly_json` says it, which asks for all properties that there might be
    props = {
        name: value
        for name, value in vars(component).items()
        if not name.startswith(_OF_DASH)
    }
    return {
        "props": props,
        "type": component._type,
        "namespace": component._namespace,
    }
