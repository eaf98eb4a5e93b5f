"""What `diff` is made of: which line is which, and what has changed between two of them."""
