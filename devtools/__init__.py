"""What stands in for the cloud on one machine; never deployed, and nothing in `importcore` imports it."""
