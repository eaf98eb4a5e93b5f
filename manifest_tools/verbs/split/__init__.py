"""``mtool split``: a manifest dealt out into stratified parts."""
