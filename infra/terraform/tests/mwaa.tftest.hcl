# MWAA is there when it is asked for, in a network of its own or in one that is passed in.

mock_provider "aws" {
  source = "./tests/account"
}

variables {
  environment = "dev"
}

run "nothing_of_it_is_made_unless_it_is_enabled" {
  command = plan

  assert {
    condition     = length(aws_mwaa_environment.this) + length(aws_vpc.this) + length(aws_vpc_endpoint.interface) + length(aws_cloudwatch_log_group.mwaa) == 0
    error_message = "enable_mwaa is off."
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "flight-delay-monitoring")
    error_message = "An Airflow that somebody starts when he needs it may be down."
  }

  assert {
    condition     = !contains(keys(aws_s3_bucket.this), "airflow")
    error_message = "The bucket of DAGs is MWAA's."
  }
}

run "a_network_without_a_way_to_the_internet_comes_with_it" {
  command = plan

  variables {
    enable_mwaa = true
  }

  assert {
    condition     = [for subnet in aws_subnet.this : [subnet.availability_zone, subnet.cidr_block]] == [["eu-west-1a", "10.40.0.0/25"], ["eu-west-1b", "10.40.0.128/25"]]
    error_message = "Two subnets share the range, in two zones."
  }

  assert {
    condition     = aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway" && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "Services are reached by their own names."
  }

  assert {
    condition = toset(keys(aws_vpc_endpoint.interface)) == toset(concat(
      ["airflow.api", "airflow.env", "airflow.ops", "kms", "logs", "monitoring", "sqs"],
      ["athena", "glue", "sagemaker.api", "sagemaker.runtime", "sns", "ssm", "sts"],
    ))
    error_message = "What Airflow and the pipelines call has an endpoint, and nothing else, which would cost money."
  }

  assert {
    condition     = aws_mwaa_environment.this[0].airflow_version == "3.2.1" && aws_mwaa_environment.this[0].webserver_access_mode == "PRIVATE_ONLY"
    error_message = "Airflow 3.2.1, for those inside the network."
  }

  assert {
    condition = [
      for alarm in [aws_cloudwatch_metric_alarm.this["flight-delay-monitoring"]] :
      [alarm.comparison_operator, alarm.threshold, alarm.statistic, alarm.period, alarm.evaluation_periods, alarm.treat_missing_data]
    ] == [["LessThanThreshold", 1, "SampleCount", 3600, 3, "breaching"]]
    error_message = "An Airflow that has looked at nothing for three hours is down."
  }

  assert {
    condition     = toset([for group in aws_cloudwatch_log_group.mwaa : group.name]) == toset([for log in ["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"] : "airflow-silverline-dev-${log}"])
    error_message = "MWAA finds the log groups that it would make."
  }
}

run "a_network_that_is_passed_in_is_used_as_it_is" {
  command = plan

  variables {
    enable_mwaa = true
    mwaa = {
      airflow_version    = "3.0.6"
      webserver_access   = "PUBLIC_ONLY"
      subnet_ids         = ["subnet-1", "subnet-2"]
      security_group_ids = ["sg-1"]
    }
  }

  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.this) + length(aws_vpc_endpoint.interface) + length(aws_security_group.mwaa) == 0
    error_message = "No network is made beside it."
  }

  assert {
    condition     = aws_mwaa_environment.this[0].network_configuration[0].subnet_ids == toset(["subnet-1", "subnet-2"])
    error_message = "MWAA is in the subnets that were passed in."
  }

  assert {
    condition     = aws_mwaa_environment.this[0].airflow_version == "3.0.6" && aws_mwaa_environment.this[0].webserver_access_mode == "PUBLIC_ONLY"
    error_message = "What is asked for is what is made."
  }
}
