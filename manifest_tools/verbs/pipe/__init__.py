"""``mtool pipe``: writes the record stream that Pipe mode would send."""
