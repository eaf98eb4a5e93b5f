"""Batch transform: pictures in, a manifest of answers out."""
