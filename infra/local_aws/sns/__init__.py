"""What moto's SNS does otherwise than AWS."""
