"""Sample data: half a year of a believable team, made through the services with moved time."""
