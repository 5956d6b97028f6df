"""Everything that talks to the outside: files, brokers, devices."""
