# What no environment can be made of is refused before anything is asked of AWS.

mock_provider "aws" {
  source = "./tests/account"
}

variables {
  environment = "dev"
}

run "each_variable_refuses_what_makes_no_sense" {
  command = plan

  variables {
    environment                 = "Dev" # capitals
    project                     = "s"
    airflow_principals          = ["alice"]
    reader_principals           = ["alice"]
    athena_bytes_scanned_cutoff = 9999999
    sagemaker_image_tag         = "latest"
    run_days                    = 0
    old_version_days            = 0.5
    log_days                    = 2                # CloudWatch Logs takes 1 and 3
    live_endpoints              = ["flight-delay"] # its endpoint, not the pipeline
    endpoint_scaling            = { max_instances = 1 }
    canary_seconds              = 3601
    alarm_thresholds            = { failed_queries = 0 }
    alarm_emails                = ["alice"]
    runbook_url                 = "https://example.com/runbook#alarms" # each alarm adds its section
    monthly_budget_dollars      = 0
  }

  expect_failures = [
    var.environment,
    var.project,
    var.airflow_principals,
    var.reader_principals,
    var.athena_bytes_scanned_cutoff,
    var.sagemaker_image_tag,
    var.run_days,
    var.old_version_days,
    var.log_days,
    var.live_endpoints,
    var.endpoint_scaling,
    var.canary_seconds,
    var.alarm_thresholds,
    var.alarm_emails,
    var.runbook_url,
    var.monthly_budget_dollars,
  ]
}

run "airflow_2_for_mwaa" {
  command = plan

  variables {
    mwaa = { airflow_version = "2.10.3" }
  }

  expect_failures = [var.mwaa]
}

run "a_class_that_mwaa_does_not_have" {
  command = plan

  variables {
    mwaa = { environment_class = "mw1.tiny" }
  }

  expect_failures = [var.mwaa]
}

run "no_workers_for_mwaa" {
  command = plan

  variables {
    mwaa = { max_workers = 0 }
  }

  expect_failures = [var.mwaa]
}

run "half_a_worker_for_mwaa" {
  command = plan

  variables {
    mwaa = { max_workers = 1.5 }
  }

  expect_failures = [var.mwaa]
}

run "a_web_server_that_is_neither_private_nor_public_for_mwaa" {
  command = plan

  variables {
    mwaa = { webserver_access = "PRIVATE" }
  }

  expect_failures = [var.mwaa]
}

run "one_subnet_for_mwaa" {
  command = plan

  variables {
    mwaa = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.mwaa]
}

run "subnets_without_a_security_group_for_mwaa" {
  command = plan

  variables {
    mwaa = { subnet_ids = ["subnet-1", "subnet-2"] }
  }

  expect_failures = [var.mwaa]
}

run "a_network_that_is_no_range_for_mwaa" {
  command = plan

  variables {
    mwaa = { vpc_cidr = "10.40.0.0" }
  }

  expect_failures = [var.mwaa]
}
