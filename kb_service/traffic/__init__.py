"""What comes in, what will, and whether that is more than usual."""
