"""Endpoints: made, asked, deleted, with an API in front."""
