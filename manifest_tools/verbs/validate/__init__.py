"""``mtool validate``: every problem of every line, and the preflight of a training job."""
