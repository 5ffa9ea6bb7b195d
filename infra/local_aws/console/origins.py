"""Who may ask for a page: a browser on this machine, and to change something only one of our own pages."""

import ipaddress
from urllib.parse import urlsplit

from werkzeug import Request


def refusal(request: Request) -> str | None:
    """Why a request is not answered; None where it is. A name that leads here is not enough: a page of somebody else's
    could have it, and have it lead to 127.0.0.1 (DNS rebinding)."""
    if not _is_loopback(request.headers.get("Host", "")):
        return f"These pages answer to 127.0.0.1 and localhost only, not to {request.headers.get('Host', 'no host')}."
    if request.method in ("GET", "HEAD"):
        return None
    origin = request.headers.get("Origin", "")
    if origin != f"http://{request.headers['Host']}":
        return f"A form is taken from these pages only, not from {origin or 'one that does not say where it is from'}."
    return None


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
