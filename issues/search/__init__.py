"""Full-text search: one way to read text, one interface, a back end for each database."""
