"""The commands of `kb`, each over a workbench of services without a server."""
