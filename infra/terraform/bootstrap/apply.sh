#!/usr/bin/env bash
# apply.sh ENVIRONMENT: makes the bucket that keeps the environment's Terraform state, puts the bucket's own state into
# it, and writes examples/ENVIRONMENT/backend.hcl, which names it. Run again, it changes nothing; after a failure it goes on.
set -euo pipefail
cd "$(dirname "$0")"
environment=$1
example=../examples/$environment
fail() { printf '%s\n' "$1" >&2; exit 1; }

command -v terraform >/dev/null || fail "terraform is not installed: https://developer.hashicorp.com/terraform/install"
[ -d "$example" ] || fail "there is no infra/terraform/examples/$environment: copy examples/dev to it."
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
[ -n "$region" ] || fail "no region is set: export AWS_REGION=us-east-1, say."
export AWS_REGION=$region AWS_DEFAULT_REGION=$region # Terraform reads the one, the AWS CLI the other
account=$(aws sts get-caller-identity --query Account --output text) ||
    fail "AWS does not know you: set credentials first (aws configure, aws sso login)."
bucket=silverline-$environment-terraform-$account

cat >"$example/backend.hcl" <<HCL
bucket       = "$bucket"
key          = "platform.tfstate"
region       = "$region"
encrypt      = true
use_lockfile = true
HCL
remote=(-backend-config="$example/backend.hcl" -backend-config=key=bootstrap.tfstate)
export TF_DATA_DIR=.terraform/$environment TF_IN_AUTOMATION=1 TF_VAR_environment=$environment

# Only where S3 says that there is no state may a new one be begun: it would take the place of the old.
if answer=$(aws s3api head-object --bucket "$bucket" --key bootstrap.tfstate 2>&1); then
    terraform init -input=false -reconfigure "${remote[@]}" >/dev/null
    terraform apply -input=false -auto-approve
elif [[ $answer != *"(404)"* ]]; then
    fail "it can't be seen whether s3://$bucket/bootstrap.tfstate is there, so nothing was changed: $answer"
else
    # Nothing can keep the state of a bucket that isn't there yet: the first one lies here, until it can move.
    trap 'rm -f first_override.tf' EXIT
    printf 'terraform {\n  backend "local" {\n    path = "%s.tfstate"\n  }\n}\n' "$environment" >first_override.tf
    terraform init -input=false -reconfigure >/dev/null
    terraform apply -input=false -auto-approve
    rm first_override.tf
    terraform init -input=false -migrate-state -force-copy "${remote[@]}" >/dev/null
    rm -f "$environment".tfstate*
fi

cat <<NEXT
s3://$bucket keeps the state: bootstrap.tfstate is this bucket's own, platform.tfstate the platform's. Next:
    terraform -chdir=infra/terraform/examples/$environment init -backend-config=backend.hcl
    terraform -chdir=infra/terraform/examples/$environment apply
NEXT
