"""A wind farm: its limits in plain numpy, to verify a plan."""

from optimizer.generation.check import violations, wear

__all__ = ["violations", "wear"]
