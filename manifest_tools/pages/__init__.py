"""Pages for people: charts, tables and a gallery as one HTML file that needs nothing else."""
