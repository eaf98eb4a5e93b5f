"""What ``mtool -v`` shows, and any program that listens to Python's ``logging``."""

import sys


def detail(name: str, text: str, *values: object) -> None:
    """Log a detail for the logger ``name``, at the level DEBUG; ``values`` are filled in where one listens.

    Nobody listens where ``logging`` was never imported, and then it is not imported for this either.
    """
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger(name).debug(text, *values)
