"""AWS on this machine: moto's server, with SageMaker jobs, endpoints and Athena SQL made real."""

import os

# moto's EC2 makes a boto3 session when it is imported, which fails where the user's profile is not to be found; no
# profile is ever used here.
for _name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
    os.environ.pop(_name, None)
