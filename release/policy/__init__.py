"""Reading, checking and completing a release policy."""
