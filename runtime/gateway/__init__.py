"""The application in front of all models: one OpenAI API, named by `import_path: runtime.gateway:build`."""

from runtime.gateway.application import build

__all__ = ["build"]
