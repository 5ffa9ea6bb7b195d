# A bucket a layer: bronze for raw files, silver and gold for tables, artifacts for code and models, logs for who read what.

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  bucket        = each.value
  force_destroy = var.force_destroy
}
