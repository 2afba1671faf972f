"""Charts as shapes that a page draws without a script, one module a kind."""
