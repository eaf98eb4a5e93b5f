"""The policies of ``merge``, for the command line as well: nothing heavy is imported here."""

from typing import Literal, get_args

Policy = Literal["error", "first", "last", "newest", "highest-confidence", "vote"]
"""Which label is kept where two for the same picture differ."""

POLICIES: tuple[Policy, ...] = get_args(Policy)
