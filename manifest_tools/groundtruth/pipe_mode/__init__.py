"""Pipe mode: the records that SageMaker sends, and how an algorithm reads them."""
