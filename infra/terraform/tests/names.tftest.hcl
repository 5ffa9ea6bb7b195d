# Every name follows from project and environment.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
}

variables {
  environment = "dev"
}

run "buckets_are_named_for_their_layer_and_the_account" {
  command = plan

  assert {
    condition = { for layer, bucket in aws_s3_bucket.this : layer => bucket.bucket } == {
      for layer in ["bronze", "silver", "gold", "artifacts", "logs"] : layer => "silverline-dev-${layer}-123456789012"
    }
    error_message = "One bucket a layer, and no other."
  }
}
