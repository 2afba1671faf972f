"""What a serving process derives from the store, one Replica a workspace."""
