"""Products of all known markets: one data file per market in this folder."""

import tomllib
from functools import lru_cache
from importlib.resources import files

from optimizer.markets.schema import Market, Product


@lru_cache(maxsize=1)
def known_products() -> dict[str, Product]:
    """Every product of every market file, by its id."""
    texts = [file.read_text("utf-8") for file in files(__name__).iterdir() if file.name.endswith(".toml")]
    markets = [Market.model_validate(tomllib.loads(text)) for text in texts]
    return {product.id: product for market in sorted(markets, key=lambda m: m.id) for product in market.products}
