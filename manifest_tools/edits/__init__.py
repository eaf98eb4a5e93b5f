"""Changes inside a line, always by byte spans: what is not meant stays as it was."""
