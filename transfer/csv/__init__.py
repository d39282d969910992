"""CSV of any dialect → checked rows."""
