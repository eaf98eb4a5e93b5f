"""Exit codes that no exception of ``base.errors`` carries; the README has the whole table."""

CALLED_WRONGLY = 2
OUR_MISTAKE = 70
INTERRUPTED = 130
