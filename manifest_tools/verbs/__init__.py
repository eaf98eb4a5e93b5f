"""The verbs: one folder a word of the command line; none imports another."""
