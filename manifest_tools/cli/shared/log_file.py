"""What ``--log-file`` and ``-v`` write: remarks, warnings, errors and details, by Python's ``logging``."""

import logging
import os
import re
import sys
import time
from collections.abc import Callable
from typing import TextIO

from manifest_tools.base.errors import MtoolError, Refused

_LOGGERS = ("manifest_tools", "trainers")  # as the packages are called

# Who has one of these may act for somebody else: keys of AWS, and what signs an address for a while.
_SECRETS = re.compile(r"((?:X-Amz-[\w-]+|Signature|AWSAccessKeyId)=)[^&\s'\"]+|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


class LogFile:
    """Listens to the loggers of both packages until it is closed; ``path`` None means no file.

    ``clean`` returns a text without control characters.
    """

    def __init__(
        self, path: str | None, clean: Callable[[str], str], *, details: bool, on_screen: bool
    ) -> None:
        self._handlers: list[logging.Handler] = []
        if on_screen:
            screen = _Screen(sys.stderr)
            screen.addFilter(lambda record: record.levelno == logging.DEBUG)  # the rest is printed anyway
            screen.setFormatter(_Lines(clean, "%(message)s"))
            self._handlers.append(screen)
        if path is not None:
            file = _opened(path)
            file.setLevel(logging.DEBUG if details else logging.INFO)
            file.setFormatter(_Lines(clean, "%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ"))
            self._handlers.append(file)
        for logger in map(logging.getLogger, _LOGGERS):
            logger.setLevel(logging.DEBUG if details else logging.INFO)
            for handler in self._handlers:
                logger.addHandler(handler)

    def write(self, level: str, text: str) -> None:
        """Write what was printed on the screen: a record for each line."""
        for line in text.split("\n"):
            if line:
                logging.getLogger(_LOGGERS[0]).log(getattr(logging, level.upper()), "%s", line)

    def close(self) -> None:
        """Listen no more."""
        for logger in map(logging.getLogger, _LOGGERS):
            logger.setLevel(logging.NOTSET)
            for handler in self._handlers:
                logger.removeHandler(handler)
        for handler in self._handlers:
            handler.close()


class _Unhindered(logging.Handler):
    """A handler that ignores a full disk or a closed pipe: the work matters more than what is said of it."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _Screen(_Unhindered, logging.StreamHandler[TextIO]):
    pass


class _File(_Unhindered, logging.FileHandler):
    pass


class _Lines(logging.Formatter):
    """One line a record, without control characters and secrets; times are UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self, clean: Callable[[str], str], line: str, date: str | None = None) -> None:
        super().__init__(line, date)
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        return self._clean(_SECRETS.sub(lambda found: f"{found[1] or ''}...", super().format(record)))


def _opened(path: str) -> "_File":
    """Open a file to append to; raises Refused for what is no log, MtoolError on a full disk."""
    if path == "-" or path.startswith("s3://"):
        raise Refused(f"--log-file {path}: expected a file on this disk")
    if path.endswith("/"):
        path = f"{path}mtool.log"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if os.path.isfile(path):
            _check_is_log(path)
        return _File(path, encoding="utf-8", errors="backslashreplace")
    except IsADirectoryError as error:
        raise Refused(f"--log-file {path}: expected a file, found a folder; type {path}/") from error
    except OSError as error:
        raise MtoolError(f"--log-file {path}: cannot be written: {error.strerror}") from error


def _check_is_log(path: str) -> None:
    """Raise Refused for a manifest, a picture or the like: lines at its end would spoil it."""
    with open(path, "rb") as file:
        head = file.read(512)
    if head.lstrip()[:1] in (b"{", b"[") or b"\0" in head or head[:2] == b"\x1f\x8b":
        raise Refused(f"--log-file {path}: expected a log, found another file; type another name")
