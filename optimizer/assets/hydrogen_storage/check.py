"""Hydrogen storage: its physics in plain numpy, to verify a plan."""

from optimizer.storage.check import violations, wear

__all__ = ["violations", "wear"]
