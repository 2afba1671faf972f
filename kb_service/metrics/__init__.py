"""How support does, over a span."""
