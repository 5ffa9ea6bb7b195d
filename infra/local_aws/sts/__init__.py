"""moto's STS, with sessions that keep what narrows them and says who they are."""
