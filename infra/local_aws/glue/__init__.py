"""What moto's Glue only pretends to do."""
