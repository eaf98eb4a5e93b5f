"""``mtool filter``: the lines that meet conditions, byte for byte."""
