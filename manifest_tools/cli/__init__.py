"""The commands: words in, a library call, words out."""
