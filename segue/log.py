"""Logging set-up: one line per record, time in UTC, to standard error."""

import logging
import time


def configure_logging(level: str = "INFO") -> None:
    """Send log records of `level` and above to standard error."""
    formatter = logging.Formatter(
        "%(asctime)sZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # the Kafka client logs each attempt to reconnect, py4j each call
    logging.getLogger("kafka").setLevel(logging.ERROR)
    logging.getLogger("py4j").setLevel(logging.WARNING)
