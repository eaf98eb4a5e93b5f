"""Requests as values: what a job, an endpoint, a tuning job is, and how the service spells it."""
