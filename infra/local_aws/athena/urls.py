"""Where Athena's requests go."""

from moto.athena.urls import url_bases as url_bases

from local_aws.athena.responses import ExecutingAthenaResponse

url_paths = {"{0}/$": ExecutingAthenaResponse.dispatch}
