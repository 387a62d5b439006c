from pathlib import Path

from reconciler.serve.local import haproxy
from reconciler.serve.local.start import environment
from tests.serve.local.test_record import cluster


def test_nothing_is_shared_with_another_cluster_on_the_machine(tmp_path: Path) -> None:
    settings = haproxy.settings(tmp_path)
    assert settings["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    for name, value in settings.items():
        if name.endswith(("PATH", "LOC", "BASE", "FILE")):
            assert Path(value).is_relative_to(tmp_path), name
    ports = [int(value) for name, value in settings.items() if name.endswith("PORT")]
    assert len(set(ports)) == 6


def test_only_a_cluster_that_wants_it_gets_it(tmp_path: Path) -> None:
    from dataclasses import replace

    plain = cluster(tmp_path)
    assert "RAY_SERVE_ENABLE_HA_PROXY" not in environment(plain)
    assert environment(replace(plain, data_plane="haproxy"))["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
