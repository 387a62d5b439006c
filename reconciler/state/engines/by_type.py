"""Which module compiles models of which type."""

from collections.abc import Mapping

from reconciler.registry.choices import EngineType
from reconciler.state.engines import embedding, llama_cpp, saas, transformers, vllm
from reconciler.state.engines.engine import Engine

ENGINES: Mapping[EngineType, Engine] = {
    EngineType.VLLM: vllm.ENGINE,
    EngineType.EMBEDDING: embedding.ENGINE,
    EngineType.TRANSFORMERS: transformers.ENGINE,
    EngineType.LLAMA_CPP: llama_cpp.ENGINE,
    EngineType.SAAS: saas.ENGINE,
}
"""Every type."""
