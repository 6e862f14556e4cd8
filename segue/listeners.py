"""Names of listeners, as they come from a form, a web address or an event."""

import re
from typing import Final

_PATTERN: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def is_listener(name: object) -> bool:
    """Tell whether `name` may name a listener.

    Examples
    --------
    >>> is_listener("ada.l"), is_listener("a b"), is_listener("")
    (True, False, False)
    """
    return isinstance(name, str) and _PATTERN.fullmatch(name) is not None


def fold(name: str) -> str:
    """Return what names have in common that people take for one.

    Examples
    --------
    >>> fold("Ada.L")
    'ada.l'
    """
    return name.casefold()
