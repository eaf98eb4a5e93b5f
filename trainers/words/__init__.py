"""The words of the command line that learn, predict or ask SageMaker, as functions: a file a word.

A function takes what the word takes, under the names of its options, prints nothing, and returns what became
of it. What is billed, or deletes for good, needs ``yes=True``.
"""
