"""Measurements of the product: `make bench`. Nothing of the product imports this."""
