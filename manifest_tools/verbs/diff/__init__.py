"""``diff``: read columns, match lines and attributes, compare lines and labels, report; or textconv."""
