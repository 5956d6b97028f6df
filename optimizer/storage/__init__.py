"""Two machines on one store: what types of storage have in common whose machines are on or off."""
