"""The shortcut: most lines are proved clean together, and only the rest reach the rules one by one.

It has one door, ``prove_clean``, which the engine alone imports; all other files here are its own business.
``check_lines`` finds the same without it.
"""
