"""Storage of seconds to minutes, held ready as reserve."""
