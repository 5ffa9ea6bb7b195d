# The names of everything, and ARNs made of names, so that a plan shows every policy in full.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  prefix = "${var.project}-${var.environment}"

  layers      = concat(["bronze", "silver", "gold", "artifacts", "logs"], var.enable_mwaa ? ["airflow"] : [])
  buckets     = { for layer in local.layers : layer => "${local.prefix}-${layer}-${local.account}" }
  bucket_arns = { for layer, name in local.buckets : layer => "arn:${local.partition}:s3:::${name}" }

  databases = { for layer in ["bronze", "silver", "gold"] : layer => "${var.project}_${var.environment}_${layer}" }

  # A pipeline is a folder of glue_like_sql, and its name with dashes is the start of everything it has in SageMaker.
  sql_folder  = "${path.module}/../../glue_like_sql"
  table_files = fileset(local.sql_folder, "*/bronze/*.json")
  pipelines   = toset([for file in fileset(local.sql_folder, "*/splits/split.sql") : split("/", file)[0]])
  aws_names   = { for pipeline in local.pipelines : pipeline => replace(pipeline, "_", "-") }
}
