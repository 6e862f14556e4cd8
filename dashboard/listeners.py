"""Names of listeners, as they come from a web address, a cookie or an event."""

import re
from typing import Final

DEFAULT_LISTENER: Final = "you"
COOKIE: Final = "segue_listener"
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def is_listener(name: object) -> bool:
    """Tell whether `name` may name a listener.

    Examples
    --------
    >>> is_listener("ada.l"), is_listener("a b"), is_listener("")
    (True, False, False)
    """
    return isinstance(name, str) and _PATTERN.fullmatch(name) is not None


def chosen_listener(asked: str | None, remembered: str | None) -> str:
    """Return who listens: the one asked for, else the remembered one, else "you".

    Examples
    --------
    >>> chosen_listener(None, "ada"), chosen_listener("<b>", None)
    ('ada', 'you')
    """
    for name in (asked, remembered):
        if name is not None and is_listener(name):
            return name
    return DEFAULT_LISTENER
