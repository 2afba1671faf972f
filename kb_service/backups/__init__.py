"""Copies of the whole installation: made while it serves, kept, checked, and put back."""
