"""Makes vLLM and the libraries under it fail, each in a way that people meet, and prints what they say: for each known
cause by name the text of the exception, as JSON.

A program of its own, because it is vLLM that is imported. The Hugging Face Hub that it asks is a server of its own on
this machine, which refuses in the Hub's own words; nothing else is reached. No engine is started.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ANSWERS = {
    "gated/no-token": (
        401,
        "GatedRepo",
        "Access to model gated/no-token is restricted. You must have access to it "
        "and be authenticated to access it. Please log in.",
    ),
    "gated/not-asked": (
        403,
        "GatedRepo",
        "Access to model gated/not-asked is restricted and you are not in the "
        "authorized list. Visit https://huggingface.co/gated/not-asked to ask for access.",
    ),
    "org/bad-token": (401, None, "Invalid credentials in Authorization header"),
    "org/none": (404, "RepoNotFound", "Repository not found"),
    "org/busy": (429, None, "We had to rate limit your IP"),
}
"""What the Hub answers for a model: status, `X-Error-Code` and `X-Error-Message`."""


@contextmanager
def hub() -> Iterator[str]:
    """The address of a Hub that refuses everything, each model for a reason of its own."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            model = next((name for name in ANSWERS if name in self.path), "org/none")
            status, code, message = ANSWERS[model]
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", message)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def said_by(fail: Callable[[], object]) -> str:
    """The traceback of something that fails."""
    try:
        fail()
    except BaseException:
        return traceback.format_exc()
    raise AssertionError(f"{fail} did not fail")


def main() -> None:
    """Let everything fail once."""
    from reconciler.serve.local.model import build

    folder = Path(tempfile.mkdtemp())
    model = build(folder / "tiny", seed=1)
    with hub() as address:
        os.environ |= {
            "HF_ENDPOINT": address,
            "HF_HOME": str(folder / "hub"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_LOGGING_LEVEL": "ERROR",
        }
        found = {name: said_by(fail) for name, fail in failures(model).items()}
    shutil.rmtree(folder)
    print("said:", json.dumps(found))


def failures(model: Path) -> dict[str, Callable[[], object]]:
    """What to do, by the name of the cause."""
    from vllm.config import LoadConfig
    from vllm.engine.arg_utils import EngineArgs
    from vllm.model_executor.model_loader.default_loader import DefaultModelLoader
    from vllm.model_executor.model_loader.weight_utils import safetensors_weights_iterator

    def engine(**arguments: Any) -> Callable[[], object]:
        return lambda: EngineArgs(**{"model": str(model), "dtype": "float32", **arguments}).create_engine_config()

    def changed(name: str, **values: Any) -> str:
        copy = model.parent / name
        shutil.copytree(model, copy)
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps({**config, **values}))
        return str(copy)

    def cut_off() -> object:
        file = model.parent / "model.safetensors"
        file.write_bytes((model / "model.safetensors").read_bytes()[:100])
        return list(safetensors_weights_iterator([str(file)], use_tqdm_on_load=False))

    def without_weights() -> object:
        empty = Path(changed("empty"))
        (empty / "model.safetensors").unlink()
        loader = DefaultModelLoader(LoadConfig())
        return loader._prepare_weights(str(empty), None, None, False, None)

    return {
        "bad_argument": engine(max_seqs=1),
        "bad_value": engine(quantization="awqq"),
        "context_too_long": engine(max_model_len=99_999),
        "batch_too_small": engine(max_num_batched_tokens=64, max_model_len=2048, enable_chunked_prefill=False),
        "unsupported_model": engine(model=changed("foo", architectures=["FooLM"])),
        "remote_code": engine(model=changed("own", model_type="own", auto_map={"AutoConfig": "own.Config"})),
        "indivisible_heads": engine(tensor_parallel_size=3),
        "local_path_missing": engine(model="/models/none"),
        "partial_weights": cut_off,
        "partial_weights: none": without_weights,
        "missing_token": engine(model="gated/no-token"),
        "gated_model": engine(model="gated/not-asked"),
        "invalid_token": engine(model="org/bad-token"),
        "unknown_model": engine(model="org/none"),
        "hub_busy": engine(model="org/busy"),
    }


if __name__ == "__main__":
    main()
    sys.exit()
