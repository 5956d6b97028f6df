"""Hydrogen: an electrolyser, a tank and a fuel cell."""
