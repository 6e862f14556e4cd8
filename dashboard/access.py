"""Every route that there is, and who may ask for it.

The gate asks this table first: what is not in it is not there, whatever else is served.
"""

import re
from contextvars import ContextVar
from typing import Final, NamedTuple

from dashboard.refusals import RefusedError
from segue.roles import Identity, Role

LIVE_PATH: Final = "/ws/live"
SCROBBLERS: Final = "/1/"
ANALYSES: Final = ("tracks", "listeners", "map", "quality", "audio", "stream")
"""Pages of the analysts, beside their first one."""
PAGES: Final = (
    "analytics",
    *(f"analytics/{name}" for name in ANALYSES),
    "blocked",
    "history",
    "liked",
    "playlists",
    "radio",
    "search",
    "settings",
)
"""Pages that stand alone, beside the first one, which has no name."""
KEYED_PAGES: Final = ("album", "artist", "genre", "playlist", "shared", "track")
"""Pages of one thing each, whose key follows in the address."""
_PAGE: Final = re.compile(rf"/|/({'|'.join(PAGES)})|/({'|'.join(KEYED_PAGES)})/[^/]+")
_OWN_LISTS: Final = "/api/playlists"
_KEY: Final = "[0-9a-f]{16}"
_EDITS: Final = "(rename|add|remove|move|delete|undelete|share|unshare)"
_SHARED: Final = r"/api/shared/[\w-]{22}"
UPLOADS: Final = (f"{_OWN_LISTS}/import",)
"""Where files are taken."""
DOORS: Final = ("/log-in", "/sign-up")
SAFE: Final = ("GET", "HEAD")


class _Route(NamedTuple):
    """Paths, and the role that they need; None: they are for everybody."""

    verbs: tuple[str, ...]
    paths: re.Pattern[str]
    role: Role | None


def _route(verbs: tuple[str, ...], paths: str, role: Role | None) -> _Route:
    return _Route(verbs, re.compile(paths), role)


# what a page shows comes with its address, by callbacks and by the socket: its layout,
# callbacks and views look at the role again
_ROUTES: Final = (
    _route(SAFE, _PAGE.pattern, Role.LISTENER),
    _route(SAFE, r"/_dash-layout|/_dash-dependencies|/api/reactions", Role.LISTENER),
    _route(SAFE, r"/(media|covers|api/recommendations)/[^/]+", Role.LISTENER),
    _route(("POST",), r"/_dash-update-component|/api/(events|radio)", Role.LISTENER),
    _route(("POST",), r"/api/(log-out|password|delete-account)", Role.LISTENER),
    _route(SAFE, rf"{_OWN_LISTS}(/{_KEY}(/export)?)?|{_SHARED}", Role.LISTENER),
    _route(
        ("POST",),
        rf"{_OWN_LISTS}(/import|/{_KEY}/{_EDITS})?|{_SHARED}/copy",
        Role.LISTENER,
    ),
    _route(SAFE, "/api/tokens", Role.LISTENER),
    _route(("POST",), "/api/tokens(/revoke)?", Role.LISTENER),
    # it is of one listener; the first that fits says who may
    _route(SAFE, r"/api/analytics/trajectory\.(csv|parquet)", Role.ADMIN),
    _route(SAFE, r"/api/analytics/[a-z]+\.(csv|parquet)", Role.ANALYST),
    _route(SAFE, "/api/analytics/map/(figure|movement|track)", Role.ANALYST),
    _route(("POST",), "/api/analytics/map/tracks", Role.ANALYST),
    _route(SAFE, "/api/music(/import)?", Role.ADMIN),
    _route(("POST",), "/api/music/(import|stop|remove)", Role.ADMIN),
    _route(SAFE, "|".join(map(re.escape, DOORS)), None),
    _route(("POST",), r"/api/(log-in|sign-up)", None),
    _route(SAFE, r"/(assets|_dash-component-suites)/.+|/_favicon\.ico", None),
    _route(SAFE, r"/scripts/(doors|player|pages)\.js", None),
    # what they tell is of no listener
    _route(SAFE, r"/healthz|/metrics", None),
    # the door for scrobblers looks at their tokens itself
    _route(SAFE, r"/1/user/[^/]+/(listens|listen-count|playing-now)", None),
    _route(SAFE, r"/1/validate-token", None),
    _route(("POST",), r"/1/submit-listens", None),
)
_asking: Final[ContextVar[Identity | None]] = ContextVar("asking", default=None)


def is_page(path: str) -> bool:
    """Tell whether there is a page at `path`.

    Examples
    --------
    >>> is_page("/artist/a1"), is_page("/media/t1")
    (True, False)
    """
    return _PAGE.fullmatch(path) is not None


def role_needed(method: str, path: str) -> Role | None:
    """Return the role that a route needs; None where it is for everybody.

    Raises
    ------
    RefusedError
        For a path or a verb that no route of ours has.

    Examples
    --------
    >>> role_needed("GET", "/media/t1")
    <Role.LISTENER: 'listener'>
    >>> role_needed("GET", "/healthz") is None
    True
    """
    if method not in (*SAFE, "POST"):
        raise RefusedError(405, "wrong_method", f"{method} is not used here")
    for route in _ROUTES:
        if method in route.verbs and route.paths.fullmatch(path):
            return route.role
    if method == "POST":
        raise RefusedError(404, "not_found", f"nothing to post to at {path}")
    raise RefusedError(404, "not_found", f"there is no page {path}")


def check_role(identity: Identity | None, needed: Role | None) -> None:
    """Raise `RefusedError` unless who asks may do what `needed` may."""
    if needed is None:
        return
    if identity is None:
        raise _nobody()
    if not identity.role.may(needed):
        raise RefusedError(
            403,
            "not_for_you",
            f"this needs the role {needed}, yours is {identity.role}",
        )


def remember(identity: Identity | None) -> None:
    """Say who asks, for all that is called while this request is answered."""
    _asking.set(identity)


def asking() -> Identity | None:
    """Return who asks, if anybody has logged in."""
    return _asking.get()


def who_asks() -> Identity:
    """Return who asks.

    Raises
    ------
    RefusedError
        When nobody has logged in.
    """
    identity = asking()
    if identity is None:
        raise _nobody()
    return identity


def require_own(user_id: str) -> None:
    """Raise `RefusedError` unless who asks is this listener."""
    if who_asks().user_id != user_id:
        raise RefusedError(
            403,
            "not_yours",
            f"this is of another listener, not of {who_asks().user_id}",
        )


def _nobody() -> RefusedError:
    return RefusedError(401, "log_in_first", "log in first, at /log-in")
