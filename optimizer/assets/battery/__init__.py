"""Stationary storage with its own charge and discharge power."""
