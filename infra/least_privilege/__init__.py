"""Compares what a platform's roles may do with what the pipeline does: nothing may be granted that nothing needs."""
