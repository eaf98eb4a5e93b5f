"""The error for a file that is no model."""

from manifest_tools.base.errors import BadData


class BadModel(BadData):
    """A file that is no model, or that should not be trusted; ``source`` names it."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}; `mtool train` makes a model.tar.gz")
        self.source = source
        self.reason = reason
