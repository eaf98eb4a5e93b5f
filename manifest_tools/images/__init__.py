"""Pictures: where they are on this disk, what their headers say, how they are decoded and shrunk."""
