"""Pumped hydro: pump units at fixed power, a turbine, and an upper reservoir."""
