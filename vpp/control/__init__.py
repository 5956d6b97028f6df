"""Pure functions of a snapshot: what now? Standard library only."""
