"""Segue: a music service that listens back."""

__version__ = "0.1.0"
