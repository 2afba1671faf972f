"""Finding passages: by meaning, by words, within what a request may see."""
