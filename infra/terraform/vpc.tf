# The network of MWAA, unless one is passed in: two private subnets, AWS's services by endpoints, and no way to the internet.
# What an environment installs must come with it, therefore: requirements.txt finds its wheels in plugins.zip.

locals {
  own_vpc = var.enable_mwaa && length(var.mwaa.subnet_ids) == 0

  interface_endpoints = local.own_vpc ? toset(concat(
    # What MWAA needs, beside S3, for its services and for Airflow:
    # https://docs.aws.amazon.com/mwaa/latest/userguide/vpc-vpe-create-access.html
    ["kms", "logs", "monitoring", "sqs"],
    ["airflow.api", "airflow.env", "airflow.ops"],
    # What the pipelines' tasks call.
    ["athena", "glue", "sagemaker.api", "sagemaker.runtime", "sns", "ssm", "sts"],
  )) : []
}

data "aws_availability_zones" "this" {
  count = local.own_vpc ? 1 : 0

  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:there is no way in or out but AWS's own endpoints, whose calls CloudTrail has
  count = local.own_vpc ? 1 : 0

  cidr_block           = var.mwaa.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = local.prefix }
}

# AWS's default group lets its members talk to each other and out; nobody is to be in it.
resource "aws_default_security_group" "this" {
  count = local.own_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id
}

resource "aws_subnet" "this" {
  count = local.own_vpc ? 2 : 0

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.mwaa.vpc_cidr, 1, count.index)
  availability_zone = data.aws_availability_zones.this[0].names[count.index]
  tags              = { Name = "${local.prefix}-private-${count.index + 1}" }
}

resource "aws_route_table" "this" {
  count = local.own_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = { Name = local.prefix }
}

resource "aws_route_table_association" "this" {
  count = local.own_vpc ? 2 : 0

  subnet_id      = aws_subnet.this[count.index].id
  route_table_id = aws_route_table.this[0].id
}

resource "aws_vpc_endpoint" "s3" {
  count = local.own_vpc ? 1 : 0

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.this[*].id
  tags              = { Name = "${local.prefix}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this[0].id
  service_name        = "com.amazonaws.${local.region}.${each.value}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.this[*].id
  security_group_ids  = aws_security_group.mwaa[*].id
  tags                = { Name = "${local.prefix}-${replace(each.value, ".", "-")}" }
}

# MWAA's containers, its database, its web server and the endpoints share one group and talk among themselves.
resource "aws_security_group" "mwaa" {
  count = local.own_vpc ? 1 : 0

  name        = "${local.prefix}-mwaa"
  description = "MWAA of ${local.prefix} and the endpoints that it calls"
  vpc_id      = aws_vpc.this[0].id
  tags        = { Name = "${local.prefix}-mwaa" }
}

resource "aws_vpc_security_group_ingress_rule" "mwaa" {
  count = local.own_vpc ? 1 : 0

  security_group_id            = aws_security_group.mwaa[0].id
  referenced_security_group_id = aws_security_group.mwaa[0].id
  ip_protocol                  = "-1"
  tags                         = { Name = "${local.prefix}-mwaa" }
}

resource "aws_vpc_security_group_egress_rule" "mwaa" {
  count = local.own_vpc ? 1 : 0

  security_group_id            = aws_security_group.mwaa[0].id
  referenced_security_group_id = aws_security_group.mwaa[0].id
  ip_protocol                  = "-1"
  tags                         = { Name = "${local.prefix}-mwaa" }
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  count = local.own_vpc ? 1 : 0

  security_group_id = aws_security_group.mwaa[0].id
  prefix_list_id    = aws_vpc_endpoint.s3[0].prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = { Name = "${local.prefix}-s3" }
}
