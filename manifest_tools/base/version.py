"""The version of mtool; reports such as split.json contain it."""

__version__ = "0.1.0"
