"""The product: nouns, decisions, safety, daemon and command line."""

__version__ = "0.1.0"
