"""Hydrogen storage: its mathematics over the horizon."""

from optimizer.storage.model import IDLE, build, exclusion, options, parameters

__all__ = ["IDLE", "build", "exclusion", "options", "parameters"]
