"""Lists of issues as files: read in chunks, written as they are read."""
