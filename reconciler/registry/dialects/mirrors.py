"""Mirrors: buckets to load weights from, with the options of the command-line clients that once copied them."""

from typing import Any

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_STORES = {"s3_mirror_config": "s3://", "gcs_mirror_config": "gs://"}
_ANONYMOUS = "anonymous@"
"""In front of a bucket it means that the bucket is read without credentials (`ray.llm` 2.60, `cloud_utils.py`)."""


def translate_mirrors(translator: Translator, source: KeyPath) -> None:
    """Carry `s3_mirror_config` and `gcs_mirror_config` of the section at `source`. An empty mirror is none."""
    for key in _STORES:
        translate_mirror(translator, (*source, key), key)


def translate_mirror(translator: Translator, source: KeyPath, key: str) -> None:
    """Carry the mirror at `source`, which was written as one of the store `key`: `s3_mirror_config` or the other."""
    bucket, arguments = (*source, "bucket_uri"), (*source, "s3_sync_args")
    uri = translator.get(*bucket)
    store = store_of(uri, key)
    if store != key and translator.has((*source[:-1], store)):
        message = f"`{key}` holds a bucket of another store, {quoted(uri)}, which has a mirror already"
        translator.refuse(bucket, "given-twice", message, "keep one of the mirrors")
        return
    if store != key:
        message = f"`{key}` holds a bucket of another store, {quoted(uri)}: it is read as `{store}`"
        translator.warn(translator.position(bucket), "mirror-store", message, f"write `{store}`")
    anonymous = _translate_sync_args(translator, arguments, ("engine_config", store), uri is not None)
    _copy_buckets(translator, bucket, ("engine_config", store, "bucket_uri"), anonymous)
    _copy_buckets(translator, (*source, "extra_files"), ("engine_config", store, "extra_files"), anonymous)
    credentials = (*source, "s3_aws_credentials")
    if translator.has(credentials):
        message = "credentials are not fetched from a server any more"
        translator.refuse(
            credentials, "mirror-credentials", message, "give the cluster's nodes credentials of their own"
        )


def store_of(uri: object, key: str) -> str:
    """The key of the store that the bucket is in; the one it was written in where the bucket does not say."""
    return next((store for store, scheme in _STORES.items() if isinstance(uri, str) and uri.startswith(scheme)), key)


def _translate_sync_args(translator: Translator, source: KeyPath, mirror: KeyPath, there_is_one: bool) -> bool:
    """Whether the bucket was read without credentials: the only option of `aws s3 sync` with a counterpart."""
    arguments = translator.get(*source)
    if arguments == ["--no-sign-request"] and there_is_one:
        reason = "`anonymous@` in the bucket's URI reads it without credentials"
        translator.map(source, (*mirror, "bucket_uri"), None, reason)
        return True
    if arguments is not None and (arguments == [] or not there_is_one):
        translator.keep(source, "there is nothing that it changes")
    elif arguments is not None:
        message = "the weights are not copied by `aws s3 sync` any more, so that its options mean nothing"
        translator.refuse(source, "mirror-options", message, "only `--no-sign-request` can be carried")
    return False


def _copy_buckets(translator: Translator, source: KeyPath, target: KeyPath, anonymous: bool) -> None:
    value = translator.get(*source)
    if not anonymous or value is None:
        translator.copy(source, target)
    else:
        translator.map(source, target, _without_credentials(value), "`anonymous@` reads it without credentials")


def _without_credentials(value: Any) -> Any:
    """A URI, or a list of files with one each, with the mark of a bucket that is read without credentials."""
    if isinstance(value, list):
        return [
            {**file, "bucket_uri": _without_credentials(file.get("bucket_uri"))} if isinstance(file, dict) else file
            for file in value
        ]
    if isinstance(value, str) and value.startswith("s3://") and not value.startswith(f"s3://{_ANONYMOUS}"):
        return f"s3://{_ANONYMOUS}{value.removeprefix('s3://')}"
    return value
