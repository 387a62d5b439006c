"""The values that some keys of the forms choose from. Apart from the forms, because what only plans needs no more."""

from enum import StrEnum


class EngineType(StrEnum):
    """What answers for a model. The first three are vLLM through `ray.serve.llm`."""

    VLLM = "VLLMEngine"
    EMBEDDING = "EmbeddingEngine"
    """vLLM's pooling runner: vectors and scores instead of text."""
    TRANSFORMERS = "TransformersEngine"
    """vLLM with the model's implementation in transformers, for an architecture that vLLM has none of its own for."""
    LLAMA_CPP = "LlamaCppEngine"
    """llama.cpp, for GGUF files."""
    SAAS = "SaaSEngine"
    """A service outside the cluster."""


VLLM_TYPES = frozenset({EngineType.VLLM, EngineType.EMBEDDING, EngineType.TRANSFORMERS})
"""Those that run vLLM, with its arguments and its memory."""


class PlacementStrategy(StrEnum):
    """How Ray places the bundles of one replica on nodes."""

    PACK = "PACK"
    STRICT_PACK = "STRICT_PACK"
    SPREAD = "SPREAD"
    STRICT_SPREAD = "STRICT_SPREAD"


class RolloutStrategy(StrEnum):
    """How running replicas are replaced when a change restarts them."""

    SURGE = "surge"
    ROLLING = "rolling"
    RECREATE = "recreate"


class SaaSProvider(StrEnum):
    """Who runs a model outside the cluster; `registry.saas` says how each is spoken to."""

    OPENAI_COMPATIBLE = "openai_compatible"
    """Any server with OpenAI's API at `base_url`."""
    LITELLM = "litellm"
    """Whatever LiteLLM knows; the model's name begins with LiteLLM's name of the provider."""
    ANTHROPIC = "anthropic"
    AWS_BEDROCK = "aws_bedrock"
    AZURE_OPENAI = "azure_openai"
    BAICHUAN = "baichuan"
    DASHSCOPE = "dashscope"
    DEEPSEEK = "deepseek"
    GEMINI = "gemini"
    MINIMAX = "minimax"
    MOONSHOT = "moonshot"
    OPENAI = "openai"
    QIANFAN = "qianfan"
    SILICONFLOW = "siliconflow"
    SPARKDESK = "sparkdesk"
    VOLCENGINE = "volcengine"
    ZHIPU = "zhipu"
