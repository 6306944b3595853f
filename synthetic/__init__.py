"""Synthetic graduates, made from noisy measurements only."""
