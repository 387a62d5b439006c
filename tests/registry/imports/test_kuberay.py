import pytest

from tests.support.golden import assert_golden
from tests.support.imports import imported, rules, told

SERVICE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {mode: 0755}
---
apiVersion: ray.io/v1
kind: RayService
metadata:
  name: chat
spec:
  serveConfigV2: |

    applications:
      - name: llm_app
        import_path: ray.serve.llm:build_openai_app
        args:
          llm_configs:
            - model_loading_config:
                model_id: acme/chat
              engine_kwargs: {max_model_len: 4096, device: auto}
              deployment_config: {max_ongoing_requests: 8, autoscaling_config: {target_ongoing_requests: 3}}
  rayClusterConfig:
    headGroupSpec: {stdin: yes}
"""


def test_a_service_and_what_stands_beside_it() -> None:
    assert_golden("imports/kuberay/service.txt", told(imported({"service.yaml": SERVICE})))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind: RayService", "kind: RayCluster", (7, "no-model")),
        ("kind: RayService", "kind: RayJob", (7, "no-model")),
        ("serveConfigV2", "serveConfig", (7, "no-model")),
        ("engine_kwargs: {", "engine_kwargs: {max_num_seqz: 3, ", (20, "known-engine-arguments")),
        ("          llm_configs:", "          llm_config:", (17, "unknown-key")),
        ("    applications:", "    applications: [", (14, "yaml-syntax")),
        ("    applications:", "    apps:", (11, "no-model")),
    ],
)
def test_what_cannot_be_carried_is_refused_at_its_line(old: str, new: str, expected: tuple[int, str]) -> None:
    assert old in SERVICE
    found = imported({"service.yaml": SERVICE.replace(old, new)})
    assert expected in rules(found)
    assert found.files == ()


def test_a_config_in_quotes_has_the_place_of_its_key() -> None:
    service = """\
        apiVersion: ray.io/v1
        kind: RayService
        spec:
          serveConfigV2: "applications: [{import_path: a:b}]"
        """
    assert rules(imported({"service.yaml": service})) == [(4, "no-model")]
