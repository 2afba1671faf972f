"""The shapes of the wire: what requests may hold and what responses hold, as `docs/api.md` fixes them."""
