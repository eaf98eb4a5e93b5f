"""Copies the pictures of manifests from S3 to this disk; ``fetch`` is the function."""
