"""Edits of the bytes of one line: everything that an edit does not change keeps its bytes."""
