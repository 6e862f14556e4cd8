"""Objects of an event, `source` and `extra`, as cells of text, and back."""

import json
from typing import Any

import orjson


def cell_of(fields: dict[str, Any] | None) -> str | None:
    """Return an object as the text of a cell."""
    if fields is None:
        return None
    try:
        return orjson.dumps(fields).decode()
    except TypeError:  # numbers beyond 64 bits, and what lies very deep
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def fields_in(cell: str | None) -> dict[str, Any]:
    """Return the object of a cell, an empty one where there is none.

    Examples
    --------
    >>> fields_in('{"rank":1}'), fields_in(None)
    ({'rank': 1}, {})
    >>> fields_in(cell_of({"n": 10**400})) == {"n": 10**400}
    True
    """
    if cell is None:
        return {}
    try:
        found: dict[str, Any] = orjson.loads(cell)
    except ValueError:  # numbers beyond those of 64 bits
        found = json.loads(cell)
    return found
