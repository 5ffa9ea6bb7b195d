"""AWS on this machine: moto's server, with SageMaker jobs, endpoints and Athena SQL made real."""
