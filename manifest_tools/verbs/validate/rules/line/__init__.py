"""Rules of one line: that it can be read, its source, its label and metadata."""
