"""From the outbox to a shop's endpoints: at least once, signed, and never to an address that is not public."""
