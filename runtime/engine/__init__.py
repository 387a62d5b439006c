"""The application of one model: vLLM behind `ray.serve.llm`, named by `import_path: runtime.engine:build`."""

from runtime.engine.application import build

__all__ = ["build"]
