"""Storage in compressed or liquid air or carbon dioxide, with a compressor and an expander."""
