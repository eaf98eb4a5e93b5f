"""What is wrong with the data, as a value, so that a check can go on: a finding, and then a problem."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one line of one file, and the place in it.

    ``line`` counts from 1 (0: the file as a whole); ``path`` is a JSON path such as
    ``$.label``, or empty where no single value is meant.

    >>> print(Problem("MT104", "error", "a.manifest", 3, "$.source", "no s3:// URI"))
    a.manifest:3: MT104 no s3:// URI
    """

    code: str
    severity: Severity
    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.code} {self.message}"


class Finding(NamedTuple):
    """What a rule found: the place in the line, what is wrong.

    From a rule of a file also which line, and from a rule of several files which file.
    """

    path: str
    message: str
    line: int = 0
    file: str = ""
