"""Where Budgets' requests go."""

from moto.budgets.urls import url_bases as url_bases

from local_aws.budgets.responses import BudgetsResponse

url_paths = {"{0}/$": BudgetsResponse.dispatch}
