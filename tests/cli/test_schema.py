import json

import jsonschema
import pytest

from reconciler.cli.schema import SCHEMAS
from tests.support.cli import run


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    ran = run("schema", name)
    assert ran.code == 0
    schema = json.loads(ran.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:reconciler:schema:{name}"
