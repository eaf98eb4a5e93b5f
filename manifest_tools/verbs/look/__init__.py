"""``mtool look``: a page of pictures with their labels."""
