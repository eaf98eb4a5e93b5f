"""What is wrong with the data, as a value: a check reports it and goes on."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one line of one file, or with the file as a whole: what the user reads.

    >>> print(Problem("MT104", "error", "a.manifest", 3, "$.source", "no s3:// URI"))
    a.manifest:3: error MT104 no s3:// URI
    """

    code: str
    """The rule that found it, such as ``MT104``; codes never change their meaning."""

    severity: Severity
    """An error stops a training job or spoils it; a warning may be what was meant."""

    file: str
    """The manifest, by the name that was typed."""

    line: int
    """Counts from 1; 0 is the file as a whole."""

    path: str
    """A JSON path such as ``$.label``; empty when no single value is meant."""

    message: str
    """What was expected and what was found, on one line."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.severity} {self.code} {self.message}"


class Finding(NamedTuple):
    """What a rule found, before the engine adds the rule's code and severity and makes it a Problem."""

    path: str
    """A JSON path such as ``$.label``; empty when no single value is meant."""

    message: str
    """What was expected and what was found, on one line."""

    line: int = 0
    """Counts from 1; set by rules that see a whole file or several."""

    file: str = ""
    """The manifest; set by rules that see several files."""
