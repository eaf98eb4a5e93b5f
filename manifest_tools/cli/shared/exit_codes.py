"""Exit codes beyond those that errors carry; the README has the whole table."""

CALLED_WRONGLY = 2
OUR_MISTAKE = 70
INTERRUPTED = 130
