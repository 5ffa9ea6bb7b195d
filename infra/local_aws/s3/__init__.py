"""What moto's S3 answers otherwise than AWS."""
