"""Whoever pays is asked; a caller in Python has said so beforehand, or is refused."""

from manifest_tools.base.errors import Refused


def check_agreed(yes: bool, what: str) -> None:
    """Raise Refused where a caller has not agreed to what is billed, or cannot be taken back."""
    if not yes:
        raise Refused(f"{what}; pass yes=True to do it, or dry_run=True to see what would be sent")
