"""What to do with lines of one picture that have different classes."""

from typing import Literal

ConflictPolicy = Literal["error", "drop", "keep"]
