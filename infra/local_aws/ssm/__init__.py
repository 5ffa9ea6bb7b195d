"""What moto's SSM only pretends to do."""
