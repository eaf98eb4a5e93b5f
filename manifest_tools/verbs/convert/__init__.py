"""``mtool convert``: a manifest into another data set format, and back."""
