"""DuckDB over frames: the second opinion on what was counted."""

from typing import Any

import duckdb


def rows_of(query: str, **frames: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query over pandas frames, by their names."""
    with duckdb.connect() as duck:
        for name, frame in frames.items():
            duck.register(name, frame)
        return duck.execute(query).fetchall()
