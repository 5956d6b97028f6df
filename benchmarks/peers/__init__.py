"""Other programs that plan storage or write models, each called in a process and an environment of its own."""
