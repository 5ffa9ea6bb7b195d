"""The tags of budgets and the subscribers of their notifications, which moto lacks."""
