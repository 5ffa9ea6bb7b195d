"""Where CloudWatch Logs' requests go."""

from moto.logs.urls import url_bases as url_bases

from local_aws.logs.responses import LogsResponse

url_paths = {"{0}/$": LogsResponse.dispatch}
