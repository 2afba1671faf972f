"""What a customer says, and what is known of them who says it."""
