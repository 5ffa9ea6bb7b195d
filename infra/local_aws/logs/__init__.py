"""CloudWatch Logs: filter patterns, metric filters, and queries."""
