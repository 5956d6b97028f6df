"""A photovoltaic plant."""
