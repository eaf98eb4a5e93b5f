"""Reads and writes files and S3 objects; edits JSON by byte ranges; RecordIO. Knows no Ground Truth."""
