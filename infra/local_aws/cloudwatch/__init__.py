"""CloudWatch: metrics as they were put, and alarms that evaluate on what arrives."""
