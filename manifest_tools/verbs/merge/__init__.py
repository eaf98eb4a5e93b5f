"""``merge``: read columns, map attributes and classes, find candidates, resolve conflicts, write, report."""
