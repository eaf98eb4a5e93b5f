"""``mtool pipe``: the record stream that Pipe mode would send."""
