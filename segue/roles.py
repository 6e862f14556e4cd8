"""What somebody who asks may do."""

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What somebody may do; each role may do what those before it may."""

    LISTENER = "listener"
    """Plays, and sees and changes what is theirs."""
    ANALYST = "analyst"
    """Sees the analytics, too."""
    ADMIN = "admin"
    """Sees single listeners, and changes what is everybody's."""

    def may(self, needed: "Role") -> bool:
        """Tell whether this role may do what `needed` may.

        Examples
        --------
        >>> Role.ADMIN.may(Role.ANALYST), Role.LISTENER.may(Role.ANALYST)
        (True, False)
        """
        roles = list(Role)
        return roles.index(self) >= roles.index(needed)


class Identity(NamedTuple):
    """Who asks."""

    user_id: str
    role: Role
