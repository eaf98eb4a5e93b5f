"""The exceptions that end a command: each says where it happened and what to type next.

A fault in the data of one line is not an exception. It is a value, see ``base/problem.py``.
"""

from collections.abc import Sequence
from typing import Any

from manifest_tools.base.installation import pip_install


class MtoolError(Exception):
    """The work could not be done; the text is one line that says where, why, and what to do.

    Every error of the library is a subclass. ``exit_code`` is what the command line ends with.
    """

    exit_code = 3

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep text and fields on the way from a worker process, without calling ``__init__`` again."""
        return _rebuild, (type(self), self.args), vars(self)


def _rebuild(kind: type[MtoolError], args: tuple[Any, ...]) -> MtoolError:
    return kind.__new__(kind, *args)


class Refused(MtoolError):
    """The command was called wrongly, or would have overwritten something."""

    exit_code = 2


class BadData(MtoolError):
    """The data does not allow what was requested."""

    exit_code = 1


class NotAManifest(BadData):
    """A file that is not JSON Lines: ``source`` names it, ``found`` says what it is."""

    def __init__(self, source: str, found: str, hint: str) -> None:
        super().__init__(f"{source}: expected a manifest, one JSON object a line; found {found}; {hint}")
        self.source = source
        self.found = found


class InvalidLine(BadData):
    """A line that cannot be read: ``source`` names the file, ``number`` counts lines from 1."""

    def __init__(self, source: str, number: int, reason: str) -> None:
        super().__init__(f"{source}:{number}: {reason}; `mtool validate` lists every problem")
        self.source = source
        self.number = number
        self.reason = reason


class Exists(Refused):
    """Outputs that exist already: ``paths`` names them, ``options`` are those that name another place.

    ``compared`` says that their content is other than what would be written; it may not be known yet.
    """

    def __init__(
        self, paths: Sequence[str], options: Sequence[str] = ("-o",), *, compared: bool = True
    ) -> None:
        exist, them = ("exists", "it") if len(paths) == 1 else ("exist", "them")
        place = " and ".join(dict.fromkeys(options))
        super().__init__(
            f"{', '.join(paths)}: {exist} already{', with other content' if compared else ''};"
            f" type --force to replace {them}, or {place} for another place"
        )
        self.paths = tuple(paths)


class NotInstalled(MtoolError):
    """An optional package that this work needs; ``extra`` of ours is what brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}; type: {pip_install(extra)}")
        self.package = package
        self.extra = extra
