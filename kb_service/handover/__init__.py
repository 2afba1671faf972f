"""Whether a bot may go on, and what a person who takes over is told."""
