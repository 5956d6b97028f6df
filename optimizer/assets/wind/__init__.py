"""A wind farm."""
