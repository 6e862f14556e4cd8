"""Listeners whose tastes are known, and what they do with music and with lists."""
