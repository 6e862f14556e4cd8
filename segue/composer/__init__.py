"""The composer: music of its own making, for people who try Segue without any."""

from segue.composer.library import compose_library

__all__ = ["compose_library"]
