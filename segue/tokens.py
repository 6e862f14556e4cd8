"""Tokens by which a program, a scrobbler say, speaks for a listener.

A token is shown once. Only its SHA-256 is kept: 122 random bits cannot be guessed from
it, and a look-up by hash tells nothing by its timing.
"""

import hashlib
import re
import uuid
from typing import Any, Final

from pymongo.database import Database

from segue import store
from segue.clock import Clock
from segue.store import Document

N_SHOWN: Final = 12
_PREFIX: Final = re.compile(rf"[0-9a-f]{{{N_SHOWN},64}}", re.ASCII)


def token_id(token: str) -> str:
    """Return what is kept of a token, the `_id` of its document.

    Examples
    --------
    >>> token_id("a")[:12]
    'ca978112ca1b'
    """
    # a lone surrogate has no UTF-8
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def create_token(database: Database[Document], user_id: str, clock: Clock) -> str:
    """Make a token for a listener and return it, for the only time."""
    token, document = new_token(user_id, clock)
    database[store.TOKENS].insert_one(document)
    return token


def new_token(user_id: str, clock: Clock) -> tuple[str, Document]:
    """Return a token that is nobody's yet, and the document by which it is known."""
    token = str(uuid.uuid4())
    document = {"_id": token_id(token), "user_id": user_id, "created_at": clock()}
    return token, document


def is_shown_id(text: str) -> bool:
    """Tell whether a text is the beginning of an id, long enough to mean one.

    Examples
    --------
    >>> is_shown_id("ca978112ca1b"), is_shown_id(".*")
    (True, False)
    """
    return _PREFIX.fullmatch(text) is not None


def read_tokens(database: Database[Document]) -> list[dict[str, Any]]:
    """Return all tokens, by listener and age, without what would let one use them."""
    return list(database[store.TOKENS].find().sort([("user_id", 1), ("created_at", 1)]))


def revoke_token(database: Database[Document], shown_id: str) -> bool:
    """Delete the token whose id begins so; return whether there was one.

    Parameters
    ----------
    shown_id : str
        At least the `N_SHOWN` first characters of the id.
    """
    if not is_shown_id(shown_id):
        return False
    found = database[store.TOKENS].delete_one({"_id": {"$regex": f"^{shown_id}"}})
    return found.deleted_count == 1
