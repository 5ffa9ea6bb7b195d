# The catalog: a database a layer, and the bronze tables, which describe files that others deliver.

resource "aws_glue_catalog_database" "this" {
  for_each = local.databases

  name        = each.value
  description = "${each.key} of ${local.prefix}"
}

locals {
  # Two pipelines with a bronze table of one name are an error of the plan: the name is the key.
  bronze_tables = {
    for file in local.table_files : trimsuffix(basename(file), ".json") => jsondecode(file("${local.sql_folder}/${file}"))
  }

  serdes = {
    csv = {
      library    = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
      settings   = {}
      properties = { "skip.header.line.count" = "1" }
    }
    json = {
      library    = "org.openx.data.jsonserde.JsonSerDe"
      settings   = { "ignore.malformed.json" = "true" }
      properties = {}
    }
  }

  # Athena works out the months by itself: nothing has to be registered when files come.
  month_projection = {
    "projection.enabled"            = "true"
    "projection.year.type"          = "date"
    "projection.year.format"        = "yyyy"
    "projection.year.range"         = "1900,NOW+1YEARS"
    "projection.year.interval"      = "1"
    "projection.year.interval.unit" = "YEARS"
    "projection.month.type"         = "integer"
    "projection.month.range"        = "1,12"
    "projection.month.digits"       = "2"
  }
}

resource "aws_glue_catalog_table" "bronze" {
  for_each = local.bronze_tables

  database_name = aws_glue_catalog_database.this["bronze"].name
  name          = each.key
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(
    { EXTERNAL = "TRUE", classification = each.value.format },
    local.serdes[each.value.format].properties,
    each.value.partitioned ? local.month_projection : {},
  )

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.this["bronze"].bucket}/${each.key}/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = local.serdes[each.value.format].library
      parameters            = local.serdes[each.value.format].settings
    }

    dynamic "columns" {
      for_each = each.value.columns
      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }

  dynamic "partition_keys" {
    for_each = each.value.partitioned ? ["year", "month"] : []
    content {
      name = partition_keys.value
      type = "string"
    }
  }
}

locals {
  catalog = "arn:${local.partition}:glue:${local.region}:${local.account}"

  # Glue asks for the catalog, the database and the table of everything that it is asked for.
  catalog_arns = {
    for layer, name in local.databases : layer => ["${local.catalog}:database/${name}", "${local.catalog}:table/${name}/*"]
  }

  # On AWS Athena's engine also asks for partitions by their names, one or many.
  read_catalog = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"]
}

resource "aws_iam_role_policy" "airflow_glue" {
  name = "glue"
  role = aws_iam_role.airflow.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Read"
        Effect = "Allow"
        Action = local.read_catalog
        # Athena looks at the database `default`, whichever one a query is about.
        Resource = concat(["${local.catalog}:catalog", "${local.catalog}:database/default"], values(local.catalog_arns)...)
      },
      {
        Sid    = "StageAndPublish"
        Effect = "Allow"
        Action = [
          "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable",
          "glue:CreatePartition", "glue:BatchCreatePartition", "glue:UpdatePartition",
        ]
        Resource = concat(["${local.catalog}:catalog"], local.catalog_arns.silver, local.catalog_arns.gold)
      },
    ]
  })
}

resource "aws_iam_role_policy" "reader_glue" {
  name = "glue"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Read"
      Effect   = "Allow"
      Action   = concat(local.read_catalog, ["glue:GetDatabases"])
      Resource = concat(["${local.catalog}:catalog", "${local.catalog}:database/default"], values(local.catalog_arns)...)
    }]
  })
}
