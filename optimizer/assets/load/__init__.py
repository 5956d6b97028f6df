"""Consumption that is served in full."""
