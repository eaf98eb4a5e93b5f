"""Plain scripts that print figures side by side with the peer; they assert nothing."""
