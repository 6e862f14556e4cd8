"""Listening histories from elsewhere: files into plays, plays into events."""
