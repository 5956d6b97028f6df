"""One module per command, each with `run(options, output)`. They are imported when they are called."""
