from typing import Any

import pytest

from reconciler.registry.dialects.mirrors import translate_mirrors
from reconciler.registry.dialects.translation import Fate, Translation
from tests.support.dialects import fates, rules, translator


def mirrors(block: str) -> Translation:
    found = translator(f"engine_config: {{{block}}}")
    translate_mirrors(found, ("engine_config",))
    return found.finish()


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("s3_mirror_config: {bucket_uri: 's3://b/m/'}", {"s3_mirror_config": {"bucket_uri": "s3://b/m/"}}),
        ("gcs_mirror_config: {bucket_uri: 'gs://b/m'}", {"gcs_mirror_config": {"bucket_uri": "gs://b/m"}}),
        (
            "s3_mirror_config: {bucket_uri: 's3://b/m', s3_sync_args: ['--no-sign-request'], "
            "extra_files: [{bucket_uri: 's3://c', destination_path: p}]}",
            {
                "s3_mirror_config": {
                    "bucket_uri": "s3://anonymous@b/m",
                    "extra_files": [{"bucket_uri": "s3://anonymous@c", "destination_path": "p"}],
                }
            },
        ),
        (
            "s3_mirror_config: {bucket_uri: 's3://anonymous@b', s3_sync_args: ['--no-sign-request']}",
            {"s3_mirror_config": {"bucket_uri": "s3://anonymous@b"}},
        ),
        ("s3_mirror_config: {bucket_uri: 's3://b', s3_sync_args: []}", {"s3_mirror_config": {"bucket_uri": "s3://b"}}),
    ],
)
def test_a_mirror_is_carried(block: str, expected: dict[str, Any]) -> None:
    translation = mirrors(block)
    assert translation.value == {"engine_config": expected}
    assert rules(translation) == []


@pytest.mark.parametrize(
    "block",
    [
        "s3_mirror_config: {}",
        "s3_mirror_config: null",
        "s3_mirror_config: {bucket_uri: null, s3_sync_args: ['--no-sign-request']}",
    ],
)
def test_an_empty_mirror_is_none(block: str) -> None:
    translation = mirrors(block)
    assert translation.value == {}
    assert set(fates(translation).values()) == {Fate.METADATA}


def test_a_bucket_of_google_is_no_mirror_of_amazon() -> None:
    translation = mirrors("s3_mirror_config: {bucket_uri: 'gs://b/m'}")
    assert translation.value == {"engine_config": {"gcs_mirror_config": {"bucket_uri": "gs://b/m"}}}
    assert rules(translation) == ["mirror-store"]


@pytest.mark.parametrize(
    ("block", "rule"),
    [
        ("s3_mirror_config: {bucket_uri: 's3://b', s3_sync_args: ['--delete']}", "mirror-options"),
        (
            "s3_mirror_config: {bucket_uri: 's3://b', s3_aws_credentials: {create_aws_credentials_url: u}}",
            "mirror-credentials",
        ),
        ("s3_mirror_config: {bucket_uri: 'gs://b'}, gcs_mirror_config: {bucket_uri: 'gs://c'}", "given-twice"),
    ],
)
def test_what_cannot_be_carried_is_an_error(block: str, rule: str) -> None:
    assert rules(mirrors(block)) == [rule]
