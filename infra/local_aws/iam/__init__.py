"""moto's IAM, which also answers what a principal's policies allow: the SageMaker SDK asks before it uses a role."""
