"""Rules of a whole file, and of several files together."""
