"""Training and tuning jobs: planned, launched, followed, fetched."""
