"""Exports and imports by the API."""
