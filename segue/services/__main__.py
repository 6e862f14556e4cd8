"""What `bin/setup` does in Python: find Java, and fetch the jars once.

Exit status 3 when Java is missing, 1 for any other error.
"""

import os
import sys

from segue.errors import MissingProgramError, SegueError
from segue.services.jars import resolve_jars
from segue.services.java import find_java
from segue.settings import load_settings


def main() -> int:
    """Find Java and fetch the jars; return the exit status."""
    try:
        settings = load_settings(os.environ)
        java = find_java(settings.spark.java_home)
        resolve_jars(settings.home, java, _say, settings.spark.ivy_settings)
    except SegueError as error:
        _say(str(error))
        return 3 if isinstance(error, MissingProgramError) else 1
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"setup: {line}\n")


if __name__ == "__main__":
    raise SystemExit(main())
