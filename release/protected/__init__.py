"""Noisy figures: estimates, intervals, withholding. Never imports the confidential side."""
