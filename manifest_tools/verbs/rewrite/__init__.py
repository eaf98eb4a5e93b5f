"""``mtool rewrite``: names and places changed inside the lines of a manifest."""
