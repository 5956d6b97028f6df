"""The mathematics: one Problem in, one Plan out, no input or output."""
