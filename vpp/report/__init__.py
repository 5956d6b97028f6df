"""What a plan looks like: files, terminal and page. Knows plans, and nothing of how they are made."""
