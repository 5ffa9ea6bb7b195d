"""The tags of scalable targets, which moto lacks."""
