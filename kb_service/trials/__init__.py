"""Trials in production: planned, lived by customers, ended."""
