"""``mtool split``: divides a manifest into parts, stratified by class."""
