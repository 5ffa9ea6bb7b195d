"""SageMaker whose training jobs run and whose endpoints answer."""
