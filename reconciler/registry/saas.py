"""The services that a `SaaSEngine` may ask: the address of each, and how it is spoken to.

The addresses are those of the providers' own documentation for their OpenAI-compatible APIs; `base_url` in a model file
takes their place, for another region or a proxy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.registry.choices import SaaSProvider

Protocol = Literal["openai", "litellm"]
"""OpenAI's API over HTTP as it is, or through LiteLLM, which speaks the provider's own."""


@dataclass(frozen=True, slots=True)
class Service:
    """One provider."""

    protocol: Protocol = "openai"
    base_url: str | None = None
    """Its address; None where a model file has to give it, or where LiteLLM knows it."""
    prefix: str = ""
    """What LiteLLM wants before the model's name."""


SERVICES: Mapping[SaaSProvider, Service] = {
    SaaSProvider.OPENAI_COMPATIBLE: Service(),
    SaaSProvider.LITELLM: Service("litellm"),
    SaaSProvider.ANTHROPIC: Service("litellm", prefix="anthropic/"),
    SaaSProvider.AWS_BEDROCK: Service("litellm", prefix="bedrock/"),
    # Every customer has an address: https://<resource>.openai.azure.com/openai/v1
    SaaSProvider.AZURE_OPENAI: Service(),
    SaaSProvider.BAICHUAN: Service(base_url="https://api.baichuan-ai.com/v1"),
    SaaSProvider.DASHSCOPE: Service(base_url="https://dashscope.aliyuncs.com/compatible-mode/v1"),
    SaaSProvider.DEEPSEEK: Service(base_url="https://api.deepseek.com/v1"),
    SaaSProvider.GEMINI: Service(base_url="https://generativelanguage.googleapis.com/v1beta/openai"),
    SaaSProvider.MINIMAX: Service(base_url="https://api.minimaxi.com/v1"),
    SaaSProvider.MOONSHOT: Service(base_url="https://api.moonshot.cn/v1"),
    SaaSProvider.OPENAI: Service(base_url="https://api.openai.com/v1"),
    SaaSProvider.QIANFAN: Service(base_url="https://qianfan.baidubce.com/v2"),
    SaaSProvider.SILICONFLOW: Service(base_url="https://api.siliconflow.cn/v1"),
    SaaSProvider.SPARKDESK: Service(base_url="https://spark-api-open.xf-yun.com/v1"),
    SaaSProvider.VOLCENGINE: Service(base_url="https://ark.cn-beijing.volces.com/api/v3"),
    SaaSProvider.ZHIPU: Service(base_url="https://open.bigmodel.cn/api/paas/v4"),
}
"""Every provider."""
