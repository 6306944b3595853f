"""Synthetic graduates, made from noisy measurements only."""

from synthetic.combine import Combined, combine

__all__ = ["Combined", "combine"]
