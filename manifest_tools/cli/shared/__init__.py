"""What the words of the command line share: options, tables, the screen."""
