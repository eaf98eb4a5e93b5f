"""``mtool rewrite``: changes names and URIs inside the lines of a manifest."""
