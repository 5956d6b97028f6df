"""A site that runs: real processes over real brokers."""
