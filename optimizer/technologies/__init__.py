"""The technology library: one data file per technology, and what an asset takes from its record."""
