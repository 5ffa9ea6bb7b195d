#!/bin/bash
# fetch-model.sh GROUP FOLDER: put the newest approved model of the model package group GROUP into FOLDER, as a model
# server finds it. From whatever AWS the AWS CLI is told of, local AWS by AWS_ENDPOINT_URL.
set -euo pipefail
PATH=$(cd "$(dirname "$0")/../.." && pwd)/.envs/aws-cli/bin:$PATH
package=$(aws sagemaker list-model-packages --model-package-group-name "$1" --model-approval-status Approved \
    --sort-by CreationTime --sort-order Descending --max-results 1 \
    --query 'ModelPackageSummaryList[0].ModelPackageArn' --output text)
if [ "$package" = None ]; then
    echo "no model of $1 is approved yet: \`make run\` trains one, docs/registry.md says who approves it" >&2
    exit 1
fi
address=$(aws sagemaker describe-model-package --model-package-name "$package" \
    --query 'InferenceSpecification.Containers[0].ModelDataUrl' --output text)
mkdir -p "$2"
aws s3 cp "$address" - | tar -xz -C "$2"
echo "$package is in $2"
