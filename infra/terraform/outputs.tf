# What whoever applied the module wants to see or pass on.

output "platform" {
  description = "The platform document, as the pipelines read it."
  value       = local.platform
}

output "platform_parameter" {
  description = "Name of the SSM parameter that holds the platform document."
  value       = aws_ssm_parameter.platform.name
}
