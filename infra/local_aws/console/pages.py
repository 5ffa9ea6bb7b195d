"""The pages' addresses, and what is done with every request for one of them."""

import importlib.util
import logging
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, MapAdapter, RequestRedirect, Rule
from werkzeug.utils import send_file

from local_aws import config
from local_aws.console import clients, dashboards, endpoints, jobs, origins, overview, queries, tables
from local_aws.console.errors import Trouble, trouble_of
from local_aws.console.page import Page
from local_aws.console.ranges import BadRange
from local_aws.console.rendering import environment

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_HEADERS = {
    # No script but ours, not even one that an escape was forgotten for; plotly sets styles by itself.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_URLS = Map(
    [
        Rule("/_dashboard/", endpoint="dashboards"),
        Rule("/_dashboard/<name>", endpoint="dashboard"),
        Rule("/_console/", endpoint="overview"),
        Rule("/_console/jobs", endpoint="jobs"),
        Rule("/_console/jobs/<kind>/<name>", endpoint="job"),
        Rule("/_console/endpoints", endpoint="endpoints"),
        Rule("/_console/endpoints/<name>", endpoint="endpoint", methods=["GET", "POST"]),
        Rule("/_console/tables", endpoint="tables"),
        Rule("/_console/tables/<database>/<table>", endpoint="table", methods=["GET", "POST"]),
        Rule("/_console/queries", endpoint="queries", methods=["GET", "POST"]),
        Rule("/_console/queries/<query_id>", endpoint="query"),
        Rule("/_console/static/<name>", endpoint="static"),
    ]
)
_VIEWS: dict[str, Callable[..., Page | Response]] = {
    "dashboards": dashboards.all_dashboards,
    "dashboard": dashboards.dashboard,
    "overview": overview.overview,
    "jobs": jobs.all_jobs,
    "job": jobs.job,
    "endpoints": endpoints.all_endpoints,
    "endpoint": endpoints.endpoint,
    "tables": tables.all_tables,
    "table": tables.table,
    "queries": queries.all_queries,
    "query": queries.query,
}


def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A page, or one that says loudly why there is none."""
    request = Request(environ)
    urls = _URLS.bind_to_environ(environ)
    response = _respond(request, urls)
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response(environ, start_response)


def _respond(request: Request, urls: MapAdapter) -> Response:
    if refused := origins.refusal(request):
        return Response(f"403 Forbidden\n\n{refused}\n", 403, mimetype="text/plain")
    try:
        endpoint, arguments = urls.match()
        if endpoint == "static":
            return _static(request, **arguments)
        made = _VIEWS[endpoint](request, **arguments)
        return made if isinstance(made, Response) else _rendered(made, urls)
    except RequestRedirect as redirect:
        return Response(status=308, headers={"Location": redirect.new_url})
    except HTTPException as error:
        return _failed(Trouble(str(error.name), str(error.description), error.code or 500), urls)
    except (ClientError, BotoCoreError) as error:
        return _failed(trouble_of(error), urls)
    except BadRange as error:
        return _failed(Trouble("No such range of time", str(error)), urls)
    except Exception as error:  # the last to see it: the browser gets a page, the log has the traceback
        logger.exception("%s %s", request.method, request.path)
        message = f"These pages have a defect: {type(error).__name__}: {error}. The log of local AWS has the traceback."
        return _failed(Trouble("InternalFailure", message, 500), urls)


def _failed(trouble: Trouble, urls: MapAdapter) -> Response:
    return _rendered(Page("error.html", trouble.code, {"trouble": trouble}, trouble.status), urls)


def _rendered(page: Page, urls: MapAdapter) -> Response:
    shared = {
        "url": lambda view, **arguments: urls.build(view, arguments),
        "plotly": urls.build("static", {"name": _plotly()}),
        "address": config.current().endpoint_url,
        "region": clients.region(),
        "title": page.title,
        "path": urls.path_info,
        "refresh": page.refresh,
    }
    text = environment().get_template(page.template).render({**shared, **page.values})
    return Response(text, page.status, mimetype="text/html")


@cache
def _plotly() -> str:
    """The name of plotly's JavaScript, another one for each version: a browser keeps it."""
    return f"plotly-{version('plotly')}.js"


def _static(request: Request, name: str) -> Response:
    """One of our own files, or plotly's JavaScript from its installed package, which is not imported for it."""
    if name == _plotly():
        spec = importlib.util.find_spec("plotly")
        assert spec is not None and spec.submodule_search_locations
        path = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
        return send_file(path, request.environ, _TYPES[".js"], max_age=365 * 86400)
    if name not in {path.name for path in STATIC.iterdir()}:
        raise NotFound(f"There is no file {name}.")
    path = STATIC / name
    return send_file(path, request.environ, _TYPES[path.suffix], max_age=0)
