"""What may break, broken on purpose: PostgreSQL, Redis and the product's processes of the test's own."""
