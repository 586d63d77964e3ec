"""A JupyterHub for a class: its configuration, and a load test with real clients."""
