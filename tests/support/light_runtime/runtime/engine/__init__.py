"""A model without an engine. Its environment tells it: `STARTUP_S` seconds to start, `FAIL` why it cannot."""

import os
import time
from collections.abc import Mapping
from typing import Any

from ray import serve


class Model:
    """Answers every question with the id of its replica."""

    def __init__(self, version: Any) -> None:
        time.sleep(float(os.environ.get("STARTUP_S", "0")))
        if os.environ.get("FAIL"):
            raise RuntimeError(os.environ["FAIL"])
        self._version = version

    async def answer(self) -> dict[str, Any]:
        """One request."""
        return {"replica": serve.get_replica_context().replica_id.unique_id, "version": self._version}


def build(args: Mapping[str, Any]) -> serve.Application:
    """The application of one model, with the placement group that the product asks for."""
    config = args["llm_config"]
    model_id = config["model_loading_config"]["model_id"]
    placement = config["placement_group_config"]
    deployment = serve.deployment(
        name="LLMServer:" + model_id.replace("/", "--").replace(".", "_"),
        ray_actor_options={"num_cpus": 0},
        placement_group_bundles=placement["bundles"],
        placement_group_strategy=placement["strategy"],
    )
    return deployment(Model).bind(config["engine_kwargs"].get("max_num_seqs"))
