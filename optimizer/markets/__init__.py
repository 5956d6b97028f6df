"""One file per kind of product."""
