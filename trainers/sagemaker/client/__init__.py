"""The one client of SageMaker, its errors and retries, and lists of calls."""
