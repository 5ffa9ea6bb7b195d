"""Where STS's requests go."""

from moto.sts.urls import url_bases as url_bases

from local_aws.sts.responses import TokenResponse

url_paths = {"{0}/$": TokenResponse.dispatch}
