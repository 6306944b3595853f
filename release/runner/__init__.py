"""Runs the notebooks, and lets nothing out of them but what the release itself chose to show."""
