"""The harness: starts the real server, speaks to it, watches its processes. tests/README.md explains it."""
