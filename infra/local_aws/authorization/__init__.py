"""Who may do what: every call is judged by the policies of its caller where local AWS is started with `--enforce-iam`,
and written down where it is started with `--record-calls`."""

from local_aws.authorization.callers import caller as caller
from local_aws.authorization.enforcement import AccessDenied as AccessDenied
from local_aws.authorization.enforcement import is_enforced as is_enforced
from local_aws.authorization.enforcement import judge as judge
from local_aws.authorization.enforcement import require as require
from local_aws.authorization.principals import Principal as Principal
from local_aws.authorization.principals import role_session as role_session
from local_aws.authorization.principals import root as root
from local_aws.authorization.principals import service as service
