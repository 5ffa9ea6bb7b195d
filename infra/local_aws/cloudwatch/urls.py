"""Where CloudWatch's requests go."""

from moto.cloudwatch.urls import url_bases as url_bases

from local_aws.cloudwatch.responses import CloudWatchResponse

url_paths = {"{0}/$": CloudWatchResponse.dispatch}
