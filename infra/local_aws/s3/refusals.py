"""Settings of a bucket that moto's S3 does not know, and takes for requests about the bucket itself."""

from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

UNKNOWN = {
    *("abac", "analytics", "intelligent-tiering", "metrics", "requestPayment"),
    *("metadataConfiguration", "metadataInventoryTable", "metadataJournalTable", "metadataTable"),
}

_bucket_response = S3Response._bucket_response


def bucket_response(response: Any, request: Any, full_url: str) -> Any:
    """moto's method of that name, except that setting what it does not know is refused: it would make the bucket, or
    delete it."""
    for name in UNKNOWN & request.args.keys():
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            message = f"A bucket's {name} is not implemented by local AWS; nothing has been done. Leave it out."
            raise S3ClientError("NotImplementedException", message)
    return _bucket_response(response, request, full_url)


def install() -> None:
    """Put that method in the place of moto's."""
    S3Response._bucket_response = bucket_response
