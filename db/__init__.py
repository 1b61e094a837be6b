"""What is kept on disk: one SQLite database per program. Knows `microgrid` and nothing above it."""
