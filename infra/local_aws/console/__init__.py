"""Pages for a browser: dashboards as CloudWatch draws them, and a small console of what there is. All that they show,
AWS's own APIs say."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

KEY_ID = f"console-{secrets.token_hex(16)}"  # of the pages' own calls, as the root user
_PATHS = re.compile(r"/_(?:dashboard|console)(?:/|$)")  # no bucket can be called so


def is_page(environ: Mapping[str, Any]) -> bool:
    """Whether a request is for a page; a signed one is for AWS, for an object in a bucket's own host perhaps."""
    signed = "HTTP_AUTHORIZATION" in environ or "Signature=" in environ.get("QUERY_STRING", "")
    return _PATHS.match(environ.get("PATH_INFO", "")) is not None and not signed


def is_caller(environ: Mapping[str, Any]) -> bool:
    """Whether a request is one that a page makes: nobody's to judge, or to write down as a call."""
    return f"Credential={KEY_ID}/" in environ.get("HTTP_AUTHORIZATION", "")
