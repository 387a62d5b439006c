"""What the clients of object stores say went wrong, in words that people and `reconcile apply` understand."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.engine.errors import WeightsError

# The words of the AWS and Google clients for C++, as Arrow 26 passes them on.
NO_BUCKET = re.compile(r"NO_SUCH_BUCKET|Bucket '.*' not found|Status\(NOT_FOUND.*(?:ListObjects|bucket)")
NOTHING = re.compile(r"Path does not exist|No such file or directory")
_DENIED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|EXPIRED_TOKEN|INVALID_CLIENT_TOKEN_ID|Forbidden"
    r"|UNAUTHENTICATED|PERMISSION_DENIED|HTTP status 40[13]|HTTP status code: 40[13]|InvalidAccessKeyId|ExpiredToken"
)
_NO_CREDENTIALS = re.compile(r"Could not create a OAuth2 access token|GOOGLE_APPLICATION_CREDENTIALS|metadata\.google")
_SILENT = re.compile(
    r"NETWORK_CONNECTION|UNAVAILABLE|DEADLINE_EXCEEDED|Could(?: not|n't) (?:connect|resolve)|timed? ?out", re.IGNORECASE
)

_S3_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)


@contextmanager
def explained(uri: str, bucket: str) -> Iterator[None]:
    """Whatever a client raises inside becomes a `WeightsError` about `uri`, with the client's own words at its end."""
    try:
        yield
    except OSError as error:
        raise WeightsError(f"{_reason(str(error), uri, bucket)} ({error})") from error


def _reason(said: str, uri: str, bucket: str) -> str:
    if NO_BUCKET.search(said):
        return f"the bucket `{bucket}` does not exist, so `{uri}` cannot be read"
    if _NO_CREDENTIALS.search(said):
        return f"this node has no credentials to read `{uri}`"
    if _DENIED.search(said):
        has = not uri.startswith("s3://") or any(name in os.environ for name in _S3_CREDENTIALS)
        return f"this node may not read `{uri}`" + ("" if has else ", and its environment has no credentials")
    if _SILENT.search(said):
        return f"the store of `{uri}` does not answer"
    return f"`{uri}` cannot be read"
