"""What gathers the ports of a bus: connections, and later transformers, feeders and depots."""
