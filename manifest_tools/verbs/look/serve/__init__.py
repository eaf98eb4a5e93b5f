"""``look --serve``: the page asks a server on this machine for what it shows, and takes marks."""
