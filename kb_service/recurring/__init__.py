"""What keeps going wrong: seen, told, followed to its end."""
