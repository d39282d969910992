"""Tests of what crosses apps, and what all tests share."""
