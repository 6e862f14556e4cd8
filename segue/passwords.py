"""Passwords: which can be taken, and what is kept of them (argon2id, RFC 9106)."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from segue.errors import AccountError
from segue.listeners import fold

MIN_PASSWORD_CHARS: Final = 8
MAX_PASSWORD_CHARS: Final = 256
NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$fH3JlSPoQbytGfuiLQhEzQ"
    "$R07T8aOQpt9vhkNu572NhMDlh8WkFZvBYk5mSNqsN1A"
)
"""What is kept of a password that nobody knows: to try one at a name that is not there
takes as long as at one that is."""

# to compose marks takes time by the square of their number
_LONGEST: Final = 4 * MAX_PASSWORD_CHARS
_HASHES_AT_ONCE: Final = 2
_hasher: Final = PasswordHasher()
# each takes 64 MiB and half a second of a core
_hashing: Final = ThreadPoolExecutor(_HASHES_AT_ONCE, thread_name_prefix="argon2")


def check_password(name: str, password: str) -> None:
    """Raise `AccountError` for a password that the account `name` cannot have."""
    n_chars = len(password)
    if n_chars <= _LONGEST:
        n_chars = len(_plain(password))
    if not MIN_PASSWORD_CHARS <= n_chars <= MAX_PASSWORD_CHARS:
        raise AccountError(
            "bad_password",
            f"a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters; "
            f"this one has {n_chars}",
        )
    if fold(password) == fold(name):
        raise AccountError("bad_password", "the password is the name; take another")


async def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_hashing, _hasher.hash, _plain(password))


async def verify(kept: str, password: str) -> bool:
    """Tell whether `kept` is of this password."""
    if len(password) > _LONGEST:
        password = ""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_hashing, _verifies, kept, _plain(password))


def is_outdated(kept: str) -> bool:
    """Tell whether a password was hashed more weakly than today's are."""
    return _hasher.check_needs_rehash(kept)


def _verifies(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _plain(password: str) -> str:
    """Return what all keyboards make of a password: "é" is one character or two."""
    return unicodedata.normalize("NFKC", password)
