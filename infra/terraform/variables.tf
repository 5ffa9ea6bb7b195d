# What differs between two environments; everything else follows from `project` and `environment`.

variable "project" {
  description = "First part of every name. The pipelines look for their platform document under /silverline."
  type        = string
  default     = "silverline"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.project))
    error_message = "Use 2 to 16 of a-z and 0-9, a letter first: it becomes part of bucket and database names."
  }
}

variable "environment" {
  description = "Second part of every name: dev, prod. One environment an account and region, because SageMaker's log groups and the endpoints' names have no room for it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.environment))
    error_message = "Use 2 to 16 of a-z and 0-9, a letter first, as infra/platform.schema.json asks."
  }
}

variable "force_destroy" {
  description = "Whether `terraform destroy` deletes buckets with everything in them; otherwise it fails while one holds an object."
  type        = bool
  default     = false
}

variable "airflow_principals" {
  description = "ARNs that may assume Airflow's role from outside AWS (hybrid mode). Empty: everyone in this account whom IAM lets."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.airflow_principals : can(regex("^arn:aws[a-z-]*:(iam|sts)::\\d{12}:", arn))])
    error_message = "Each one is the ARN of a user, a role or an account's root."
  }
}

variable "reader_principals" {
  description = "ARNs that may assume the read-only role. Empty: everyone in this account whom IAM lets."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.reader_principals : can(regex("^arn:aws[a-z-]*:(iam|sts)::\\d{12}:", arn))])
    error_message = "Each one is the ARN of a user, a role or an account's root."
  }
}

variable "athena_bytes_scanned_cutoff" {
  description = "Athena cancels a query that has scanned more bytes than this (10 MB at least)."
  type        = number
  default     = 107374182400 # 100 GiB, about half a dollar

  validation {
    condition     = var.athena_bytes_scanned_cutoff >= 10000000
    error_message = "Athena takes no less than 10000000 bytes."
  }
}

variable "sagemaker_image_tag" {
  description = "Tag of AWS's prebuilt scikit-learn image, in which jobs and endpoints run."
  type        = string
  default     = "1.9-0-cpu-py3"

  validation {
    condition     = can(regex("^\\d+\\.\\d+-\\d+-cpu-py3$", var.sagemaker_image_tag))
    error_message = "The image's tags are like 1.9-0-cpu-py3."
  }
}

variable "run_days" {
  description = "Days after which what only one run needed is deleted: splits, query results, access logs."
  type        = number
  default     = 90

  validation {
    condition     = var.run_days >= 1 && floor(var.run_days) == var.run_days
    error_message = "Give whole days, 1 at least."
  }
}

variable "old_version_days" {
  description = "Days after which overwritten and deleted objects are gone for good, except in bronze, which keeps them."
  type        = number
  default     = 30

  validation {
    condition     = var.old_version_days >= 1 && floor(var.old_version_days) == var.old_version_days
    error_message = "Give whole days, 1 at least."
  }
}

variable "log_days" {
  description = "Days that the logs of jobs and endpoints are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "CloudWatch Logs takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 days, or 3, 5 to 10 years of them."
  }
}

variable "live_endpoints" {
  description = "Pipelines whose endpoint exists by now and is to scale. Leave it empty at first: AWS refuses to scale an endpoint that doesn't exist, and the pipeline makes it. Burstable instances (ml.t2, ml.t3) can't scale."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for pipeline in var.live_endpoints : contains(local.pipelines, pipeline)])
    error_message = "Each one is a pipeline, a folder of glue_like_sql: ${join(", ", local.pipelines)}."
  }
}

variable "endpoint_scaling" {
  description = "How many instances an endpoint may have, and how many invocations a minute one of them is to answer."
  type = object({
    max_instances            = optional(number, 4)
    invocations_per_instance = optional(number, 1000)
  })
  default = {}

  validation {
    condition     = var.endpoint_scaling.max_instances >= 2 && var.endpoint_scaling.invocations_per_instance > 0
    error_message = "max_instances is 2 at least, invocations_per_instance more than 0."
  }
}

variable "canary_seconds" {
  description = "How long half of an endpoint's requests go to a new model before the others follow. SageMaker's metrics come once a minute and some late: below five minutes an alarm may come too late."
  type        = number
  default     = 300

  validation {
    condition     = var.canary_seconds >= 0 && var.canary_seconds <= 3600 && floor(var.canary_seconds) == var.canary_seconds
    error_message = "SageMaker takes whole seconds, an hour at most."
  }
}

variable "alarm_thresholds" {
  description = "What within five minutes (of a canary: within one) is an alarm: so many 5xx answers, such a 99th percentile of the model's latency, so many failed queries, failed runs and uncaught exceptions; and so many findings of one check of monitoring."
  type = object({
    endpoint_5xx                  = optional(number, 1)
    endpoint_latency_milliseconds = optional(number, 1000)
    failed_queries                = optional(number, 1)
    log_errors                    = optional(number, 1)
    failed_runs                   = optional(number, 1)
    findings                      = optional(number, 1)
  })
  default = {}

  validation {
    condition     = alltrue([for threshold in values(var.alarm_thresholds) : threshold > 0])
    error_message = "Every threshold is more than 0: at 0 the alarm would never end."
  }
}

variable "alarm_emails" {
  description = "Addresses to which alarms and the budget write; each has to confirm AWS's message first."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "Each one is an e-mail address."
  }
}

variable "runbook_url" {
  description = "Where it is written what to do about an alarm; each alarm adds the section."
  type        = string
  default     = "infra/terraform/runbook.md"

  validation {
    condition     = can(regex("^[^\\s#]+$", var.runbook_url))
    error_message = "Give an address or a path, without a section: each alarm adds its own after a #."
  }
}

variable "monthly_budget_dollars" {
  description = "What the account is expected to cost a month at most; people are told at 80 % of it, and when it is forecast to be exceeded."
  type        = number
  default     = 100

  validation {
    condition     = var.monthly_budget_dollars > 0
    error_message = "Give an amount above 0."
  }
}
