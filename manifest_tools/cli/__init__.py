"""The command line: a file for each command reads its options, calls the library and prints the result."""
