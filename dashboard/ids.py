"""Component ids in one place; `assets/` uses the same words."""

from typing import Final

LOCATION: Final = "location"
CONTENT: Final = "content"
SEARCH: Final = "search"
FOUND: Final = "found"

FOR_YOU: Final = "for-you"
FOR_YOU_NOTE: Final = "for-you-note"
FOR_YOU_FACTS: Final = "for-you-facts"
LIBRARY: Final = "library"
LIBRARY_SEARCH: Final = "library-search"
LIBRARY_COUNT: Final = "library-count"
LIBRARY_STAMP: Final = "library-stamp"
LIBRARY_MORE: Final = "library-more"

TILES: Final = "tiles"
PLAYS_FIGURE: Final = "plays-figure"
PLAYS_TABLE: Final = "plays-table"
BATCH_FIGURE: Final = "batch-figure"
STREAM_TABLE: Final = "stream-table"
LEDGER: Final = "ledger"
