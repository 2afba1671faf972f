"""What makes an answer worth sending: what was asked, which words of the source answer it, and their rewording."""
