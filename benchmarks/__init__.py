"""Side-by-side measurements, each against the peer it is named after. `python -m benchmarks` runs them all."""
