"""Storage in liquid electrolytes, whose pumps run while it works."""
