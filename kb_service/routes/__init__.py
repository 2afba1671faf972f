"""The HTTP surface: parse, call one of the four orchestrators, render."""
