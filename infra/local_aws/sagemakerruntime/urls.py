"""Where endpoints are invoked."""

from local_aws.sagemakerruntime.responses import SageMakerRuntimeResponse

url_bases = [r"https?://runtime\.sagemaker\.(.+)\.amazonaws\.com"]
# Any name, so that the answer to one that no endpoint can have is AWS's too.
url_paths = {
    "{0}/endpoints/(?P<name>.+)/async-invocations$": SageMakerRuntimeResponse.dispatch,
    "{0}/endpoints/(?P<name>.+)/invocations$": SageMakerRuntimeResponse.dispatch,
}
