"""Reading and writing, here and in S3: sources, sinks, ranges, JSON spans, RecordIO. No Ground Truth here."""
