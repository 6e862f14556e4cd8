"""Campaigns longer than two minutes: `bin/soak NAME`; see each module."""
