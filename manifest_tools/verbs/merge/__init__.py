"""What ``merge`` is made of: what is remembered of a line, which label wins, how a line changes."""
