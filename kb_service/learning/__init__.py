"""What people's verdicts, reviews and feedback teach of answers."""
