"""The data set formats: one file a format, one table of them."""
