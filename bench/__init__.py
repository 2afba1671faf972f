"""Benchmarks and comparisons; never part of the tests."""
