"""What the grid charges, beside the market: fees on energy and charges on peaks."""
