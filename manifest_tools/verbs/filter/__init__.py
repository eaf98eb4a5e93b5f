"""``mtool filter``: keeps the lines that meet conditions, byte for byte."""
