"""``mtool rec``: looks into ``.rec`` files of any origin, and takes apart, joins and mends them."""
