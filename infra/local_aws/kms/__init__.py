"""KMS: what other services ask of moto's keys."""
