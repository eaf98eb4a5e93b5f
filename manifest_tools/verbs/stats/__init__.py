"""``mtool stats``: what is in a manifest."""
