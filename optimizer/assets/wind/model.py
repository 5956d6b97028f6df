"""A wind farm: its mathematics over the horizon."""

from optimizer.generation.model import build, exclusion, options, parameters
from optimizer.problem import Parameters

IDLE: Parameters = {}

__all__ = ["IDLE", "build", "exclusion", "options", "parameters"]
