"""The care of a shop's knowledge: what contradicts, what grows stale, what is missing."""
