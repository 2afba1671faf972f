"""What escalations teach of the points of a priority."""
