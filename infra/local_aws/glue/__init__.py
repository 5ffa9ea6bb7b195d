"""What moto's Glue lacks, or only pretends to do."""
