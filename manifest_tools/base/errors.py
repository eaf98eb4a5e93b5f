"""What stops us from working, as exceptions with a place in them and the next thing to type.

What is wrong with the data of a line is no exception but a value, see ``problem``.
"""

from collections.abc import Sequence
from typing import Any


class MtoolError(Exception):
    """The work could not be done; the text is one line that a tired person understands."""

    exit_code = 3

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel from a worker process with text and fields; a subclass is not called again with its text."""
        return _again, (type(self), self.args), vars(self)


def _again(kind: type[MtoolError], args: tuple[Any, ...]) -> MtoolError:
    return kind.__new__(kind, *args)


class Refused(MtoolError):
    """The command was called wrongly, or would have done harm."""

    exit_code = 2


class BadData(MtoolError):
    """The data itself does not allow what was asked for."""

    exit_code = 1


class NotAManifest(BadData):
    """A file that holds something else than one JSON object a line."""

    def __init__(self, source: str, found: str, hint: str) -> None:
        super().__init__(f"{source}: expected a manifest, one JSON object a line; found {found}; {hint}")
        self.source = source
        self.found = found


class InvalidLine(BadData):
    """A line that cannot be read as what the work needs."""

    def __init__(self, source: str, number: int, reason: str) -> None:
        super().__init__(f"{source}:{number}: {reason}; `mtool validate` lists every problem")
        self.source = source
        self.number = number
        self.reason = reason


class Exists(Refused):
    """An output that is there already and would change."""

    def __init__(self, paths: Sequence[str]) -> None:
        names = ", ".join(paths)
        super().__init__(
            f"{names}: there already, with other content; type --force to replace, or -o for another place"
        )
        self.paths = tuple(paths)


class NotInstalled(MtoolError):
    """An optional part that this work needs."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}; type: pip install 'mtool[{extra}]'")
        self.package = package
        self.extra = extra
