"""Utfall: what became of graduates, published so that nobody can learn about a person."""
