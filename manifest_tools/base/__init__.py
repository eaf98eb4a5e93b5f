"""What every room needs: errors, text for messages, dates, hashes, processes, files. No Ground Truth here."""
