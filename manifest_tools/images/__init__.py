"""Pictures: where they lie, what their headers say, how they are decoded and shrunk."""
