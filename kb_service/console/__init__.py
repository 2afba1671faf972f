"""The web console: pages for agents, product teams and administrators, rendered by the server."""
