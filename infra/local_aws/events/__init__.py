"""What moto's EventBridge does otherwise than AWS."""
