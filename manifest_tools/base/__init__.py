"""What everything stands on: errors, whole files, text, dates, hashes, processes. No Ground Truth here."""
