"""The tags of budgets, which moto lacks."""
