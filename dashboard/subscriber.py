"""One socket's side of what is pushed: what it should have, and what it was sent."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

Properties = Mapping[str, str]
"""JSON text of the properties of each component, by component id."""


@dataclass(eq=False)
class Subscriber:
    """One socket's side: the newest state it should have, and what it was sent."""

    _wanted: Properties = field(default_factory=dict)
    _sent: dict[str, str] = field(default_factory=dict)
    _status: str = ""
    _status_sent: str = ""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, properties: Properties) -> None:
        """Put the newest state; one that was not taken yet is replaced."""
        self._wanted = properties
        self._news.set()

    def offer_status(self, status: str) -> None:
        """Say whether MongoDB answers: "ok" or "away"."""
        self._status = status
        self._news.set()

    async def next_message(self) -> str:
        """Wait for a change and return it as JSON text: what differs, no more."""
        while True:
            await self._news.wait()
            self._news.clear()
            message = self._difference()
            if message is not None:
                return message

    def _difference(self) -> str | None:
        new = {k: v for k, v in self._wanted.items() if self._sent.get(k) != v}
        self._sent.update(new)
        if not new and self._status == self._status_sent:
            return None
        self._status_sent = self._status
        props = ",".join(f"{json.dumps(key)}:{text}" for key, text in new.items())
        return f'{{"status":{json.dumps(self._status)},"props":{{{props}}}}}'
