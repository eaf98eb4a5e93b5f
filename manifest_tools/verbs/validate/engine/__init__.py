"""How the rules are run over blocks of lines, and their findings counted."""
