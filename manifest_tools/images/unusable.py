"""Why a picture cannot be used: the codes, the limits, and the exception that carries a code."""

MISSING = "MT401"
NO_PICTURE = "MT402"
TRUNCATED = "MT403"
TOO_LARGE = "MT404"
OUTSIDE = "MT405"
UNNAMEABLE = "MT406"

# `mtool validate --list` prints these codes; convert and train, which open the pictures, find them too.
CODES = {
    MISSING: "The picture of a line is there",
    NO_PICTURE: "A picture is one that can be read",
    TRUNCATED: "A picture is whole: not cut off, and not damaged",
    TOO_LARGE: "A picture has at most 40 MB and 100 million pixels",
    OUTSIDE: "A source-ref does not lead out of the pictures' folder",
    UNNAMEABLE: "A picture has a name that the output format can hold",
}

MAX_BYTES = 40_000_000
MAX_PIXELS = 100_000_000


class Unusable(Exception):
    """A picture that cannot be used: ``code`` and ``message`` are those of a problem."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
