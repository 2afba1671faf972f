"""Judged questions: what retrieval and answers are worth, and fitting on them."""
