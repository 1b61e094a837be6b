"""Measurements: one file a workload, one command each. `python -m benchmarks` runs all of them."""
