"""The shortcut: most lines are proved clean together, and only the rest reach the rules."""
