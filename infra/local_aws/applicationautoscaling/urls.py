"""Where Application Auto Scaling's requests go."""

from moto.applicationautoscaling.urls import url_bases as url_bases

from local_aws.applicationautoscaling.responses import ApplicationAutoScalingResponse

url_paths = {"{0}/$": ApplicationAutoScalingResponse.dispatch}
