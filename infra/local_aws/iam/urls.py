"""Where IAM's requests go."""

from moto.iam.urls import url_bases as url_bases

from local_aws.iam.responses import IamResponse

url_paths = {"{0}/$": IamResponse.dispatch}
