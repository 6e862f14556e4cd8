"""What stands in components."""

from collections.abc import Iterator
from typing import Any


def texts(component: Any) -> list[str]:
    """Return all texts in components, in order."""
    if isinstance(component, str):
        return [component]
    if isinstance(component, list | tuple):
        return [text for each in component for text in texts(each)]
    if isinstance(component, dict):
        return texts(component["props"].get("children") or [])
    return texts(getattr(component, "children", None) or [])


def cells(component: Any) -> list[list[str]]:
    """Return the rows of a table in components."""
    (rows,) = (e.children for e in _all(component) if type(e).__name__ == "Tbody")
    return [[" ".join(texts(cell)) for cell in row.children] for row in rows]


def _all(component: Any) -> Iterator[Any]:
    children = component if isinstance(component, list | tuple) else [component]
    for each in children:
        yield each
        if not isinstance(each, str) and getattr(each, "children", None):
            yield from _all(each.children)
