"""Django's back end for PostgreSQL, but for the price of asking whether a kept connection still lives."""
