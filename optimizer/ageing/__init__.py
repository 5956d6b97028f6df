"""What cycling and resting cost a store: the law of ageing, its price in a plan, and the count after the fact."""
