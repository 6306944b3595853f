"""Rows and true figures live here and nowhere else."""
