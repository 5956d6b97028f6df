"""Weather-dependent generation: what every asset type whose power is bounded by a forecast has in common."""
