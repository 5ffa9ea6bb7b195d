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
}
