"""From messages and ticks to decisions, records and messages; nothing here waits or reads a clock."""
