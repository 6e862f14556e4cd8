"""The HTTP interface of the player and of other programs."""
