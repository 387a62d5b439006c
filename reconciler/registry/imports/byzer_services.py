"""The `saas/<type>` of Byzer-LLM: which service each is today, and what became of its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServiceType:
    """One type: who it is today, and the parameters that were its own."""

    provider: str
    model: str | None = None
    """What it asked for where nothing was said."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Parameters that LiteLLM takes, and their names there."""
    obsolete: Mapping[str, str] = field(default_factory=dict)
    """Parameters that mean nothing any more, and why."""


_ONE_KEY = "its API wants one key today; `api_key` is that"
_VERSIONLESS = "its API has no versions to choose from any more"
OPENAI = ServiceType(
    "openai",
    "gpt-3.5-turbo-1106",
    obsolete={
        "api_type": "write `base_url` for another service than OpenAI's",
        "api_version": _VERSIONLESS,
        "proxies": "set `HTTPS_PROXY` in the environment of the nodes",
        "local_address": "the node's network decides it",
    },
)
TYPES: Mapping[str, ServiceType] = {
    "openai": OPENAI,
    "official_openai": OPENAI,
    "reasoning_openai": OPENAI,
    "siliconflow": ServiceType("siliconflow", obsolete=OPENAI.obsolete),
    "azure_openai": ServiceType("azure_openai", obsolete={"api_version": _VERSIONLESS, "api_type": _VERSIONLESS}),
    "aws_bedrock": ServiceType(
        "aws_bedrock",
        options={
            "aws_access_key": "aws_access_key_id",
            "aws_secret_key": "aws_secret_access_key",
            "region_name": "aws_region_name",
        },
        obsolete={"model_api_version": "LiteLLM knows it"},
    ),
    "baichuan": ServiceType("baichuan", "Baichuan2-Turbo"),
    "chatglm": ServiceType("zhipu"),
    "claude": ServiceType("anthropic", "claude-3-haiku-20240307"),
    "gemini": ServiceType("gemini", "gemini-pro"),
    "minimax": ServiceType("minimax", "abab5.5-chat", obsolete={"group_id": _ONE_KEY}),
    "qianfan": ServiceType(
        "qianfan", "ERNIE-Bot-turbo", obsolete=dict.fromkeys(("secret_key", "access_token"), _ONE_KEY)
    ),
    "qianwen": ServiceType("dashscope", "qwen-turbo"),
    "qianwen_vl": ServiceType("dashscope", "qwen-vl-plus"),
    "sparkdesk": ServiceType(
        "sparkdesk",
        "generalv3",
        obsolete={
            "appid": "the key says who asks",
            "api_secret": "its API over HTTP has a password of its own (`APIPassword`): `api_key` has to be that",
            "gpt_url": "it is asked over HTTP",
        },
    ),
    "zhipu": ServiceType("zhipu", "glm-4"),
}
"""Every type that can be served."""

NOT_SERVED: Mapping[str, str] = {
    "azure": "it speaks texts, and a model of the registry answers with text or vectors",
    "volcengine": "it speaks texts, and a model of the registry answers with text or vectors",
    "filelogger": "it writes requests to a file and answers nothing",
    "pangu": "it has no API that OpenAI's clients or LiteLLM speak",
}
"""Those that no model can be made of, and why."""
