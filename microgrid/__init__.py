"""The rules of the micro-grid: pure functions and values, no Qt, socket, SQL, file, thread or clock."""
