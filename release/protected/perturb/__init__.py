"""Perturbation of exact tables: cell keys, random, controlled and small count rounding, and what each one promises.

None of them is differentially private, and each says so. The office's key decides every draw; no seed is published.
"""
