"""`engine_config` of a model file: which model, on which engine, and how it answers."""

from typing import Any, Literal

from pydantic import Field

from reconciler.registry.choices import EngineType, SaaSProvider
from reconciler.registry.field_types import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Section,
    StrictBool,
    StrictInt,
)


class PromptFormat(Section):
    """How a conversation becomes a prompt, when the tokenizer's own chat template is not to be used.

    Each part is a Python format string around `{instruction}`; `user` may also hold `{system}` (RayLLM v0.3 to v0.5,
    `rayllm/common/models.py`).
    """

    system: str
    assistant: str
    trailing_assistant: str = Field(description="Opens the answer: the model generates from here.")
    user: str
    default_system_message: str = ""
    system_in_user: StrictBool = Field(False, description="Put the system message inside the first user message.")
    add_system_tags_even_if_message_is_empty: StrictBool = False
    strip_whitespace: StrictBool = Field(True, description="Strip every message before it is formatted.")
    single_turn: StrictBool = Field(
        False, description="The prompt is the last user message alone, as in Aviary 0.0.1 to 0.1.0."
    )


class Generation(Section):
    """What a request gets that does not say otherwise. Applied by the gateway, so every change is in place."""

    generate_kwargs: dict[str, Any] = Field(
        default_factory=dict,
        description="Default request fields such as temperature, top_p, max_tokens; a request's own value wins.",
    )
    stopping_sequences: list[str | StrictInt | list[str | StrictInt]] = Field(
        default_factory=list,
        description="Stop strings and stop token ids, added to those of each request. A list of token ids, and of "
        "texts between them, is one stop string: the text of all of them together.",
    )
    max_input_tokens: PositiveInt | None = Field(
        None, description="Most tokens of a prompt; a longer one is refused with 400. The replica counts them."
    )
    max_output_tokens: PositiveInt | None = Field(
        None,
        description="Most tokens of an answer: who asks for more is refused with 400, who says nothing gets so many.",
    )
    chat: StrictBool = Field(True, description="false: conversations are refused with 404, text is completed.")
    prompt_format: PromptFormat | None = Field(
        None, description="Overrides the tokenizer's chat template. Part of the engine: a change restarts the replicas."
    )


class MirrorFile(Section):
    """One more file to fetch beside the weights."""

    bucket_uri: str
    destination_path: str


class Mirror(Section):
    """A bucket to load the weights from instead of the Hugging Face Hub."""

    bucket_uri: str
    extra_files: list[MirrorFile] = Field(default_factory=list)


class AdapterGeneration(Section):
    """What requests for an adapter get that do not say otherwise, where it is not what the model's requests get."""

    generate_kwargs: dict[str, Any] = Field(
        default_factory=dict, description="Default request fields, in place of the model's own of the same name."
    )
    stopping_sequences: list[str | StrictInt | list[str | StrictInt]] | None = Field(
        None, description="Stops in place of the model's."
    )


class Adapter(Section):
    """A LoRA adapter, which clients ask for as `model_id:id`. Every change is made in place."""

    id: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$",
        description="What clients write behind the model's id and a `:`.",
    )
    source: str = Field(
        min_length=1,
        description="Absolute path on every node, folder in a bucket (`s3://`, `gs://`) or Hugging Face id, with the "
        "files of PEFT. What lies there is read once: give a new version a new place.",
    )
    revision: str | None = Field(None, description="Commit of a Hugging Face id.")
    aliases: list[str] = Field(default_factory=list, description="Other ids that reach the adapter.")
    description: str | None = None
    generation: AdapterGeneration = Field(default_factory=AdapterGeneration)


class LoraConfig(Section):
    """The adapters of a model. With this section the engine is started for adapters (`enable_lora`); which ones there
    are changes in place."""

    dynamic_lora_loading_path: str | None = Field(
        None,
        description="Absolute path on every node or folder in a bucket: a request for `model_id:id` finds the adapter "
        "in the folder `id` below it.",
    )
    max_num_adapters_per_replica: PositiveInt = Field(
        16, description="How many of those below the path a replica keeps; the least recently used makes room."
    )
    adapters: list[Adapter] = Field(default_factory=list, description="Adapters that are always there.")


class RuntimeEnv(Section):
    """The part of a Ray runtime environment that a model may set. Values are strings: Ray refuses anything else.

    `${env:NAME}` stands for a variable of the cluster's nodes and is resolved there.
    """

    env_vars: dict[str, str] = Field(default_factory=dict)
    pip: list[str] = Field(default_factory=list)


class Memory(Section):
    """How large the model is, for a check whether it fits its GPUs. Nothing that runs reads it."""

    weights_gb: PositiveFloat = Field(description="The weights once loaded, in units of 10^9 bytes.")
    kv_bytes_per_token: NonNegativeInt = Field(
        0, description="KV cache of one token in all layers and on all workers: 2 x layers x KV heads x head size x 2."
    )


class SaaSBudget(Section):
    """What a model may use of a service, all its replicas together, in minutes and in days of UTC.

    Requests are counted before they are sent, so their limit is never passed. Tokens and cost are known afterwards, so
    that those are passed by what is under way when the limit is reached.
    """

    requests_per_minute: PositiveInt | None = None
    requests_per_day: PositiveInt | None = None
    tokens_per_minute: PositiveInt | None = Field(None, description="Of prompts and answers together.")
    tokens_per_day: PositiveInt | None = Field(None, description="Of prompts and answers together.")
    cost_per_day: PositiveFloat | None = Field(None, description="In the currency of `prices`.")


class SaaSPrices(Section):
    """What the service takes for its tokens."""

    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, for example `EUR`.")
    input_per_million: NonNegativeFloat = Field(description="Price of a million tokens of prompts.")
    output_per_million: NonNegativeFloat = Field(description="Price of a million tokens of answers.")


HTTP_ADDRESS = r"^(https?://|\$\{env:)"
"""An address, or a variable of the nodes that holds one."""


class SaaS(Section):
    """A model that somebody else runs, and how it is reached. Every change is made in place."""

    provider: SaaSProvider = Field(
        SaaSProvider.OPENAI_COMPATIBLE, description="Who runs it. Most speak OpenAI's API; the others need LiteLLM."
    )
    base_url: str | None = Field(
        None,
        pattern=HTTP_ADDRESS,
        description="Address of the API up to its version, such as `https://api.example.com/v1`. Needed where the "
        "provider has no address of its own.",
    )
    model: str = Field(min_length=1, description="The model's name there.")
    api_key: str | None = Field(
        None, description="A variable of the cluster's nodes that holds the key: `${env:NAME}`."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Further headers of each request; secrets among them are `${env:NAME}`."
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="Further arguments for LiteLLM, such as `aws_region_name`."
    )
    kind: Literal["generation", "embedding"] = Field("generation", description="What the model answers with.")
    timeout_s: PositiveFloat = Field(600.0, description="Seconds that an answer may take in all.")
    idle_timeout_s: PositiveFloat = Field(
        120.0, description="Seconds until the answer begins, and between two parts of it."
    )
    retries: NonNegativeInt = Field(
        2, description="How often a request is sent again that was not taken: no connection, or told to come back."
    )
    budget: SaaSBudget = Field(default_factory=SaaSBudget)
    prices: SaaSPrices | None = None


class EngineConfig(Section):
    """What is served and with which engine arguments. Most changes here restart the model's replicas."""

    type: EngineType = EngineType.VLLM
    model_id: str = Field(min_length=1, description="The id clients ask for: `organization/model`.")
    hf_model_id: str | None = Field(None, description="Hugging Face id or absolute path on every node; else model_id.")
    gguf_file: str | None = Field(
        None,
        description="For llama.cpp: the file's name in the folder, repository or bucket; the first part of several.",
    )
    tokenizer_id: str | None = Field(None, description="Tokenizer to use instead of the model's own.")
    model_description: str | None = None
    model_url: str | None = None
    aliases: list[str] = Field(default_factory=list, description="Other ids that reach this model. Changed in place.")
    max_total_tokens: PositiveInt | None = Field(
        None,
        description="Most tokens of a request, prompt and answer together (vLLM's max_model_len; llama.cpp's context "
        "of each sequence). Default 2048, or 512 for an embedding model.",
    )
    full_context: StrictBool = Field(
        False, description="As many tokens as the model's own config allows, in place of max_total_tokens."
    )
    engine_kwargs: dict[str, Any] = Field(
        default_factory=dict, description="Arguments of vLLM or parameters of llama.cpp, checked by name."
    )
    saas: SaaS | None = Field(None, description="For a SaaSEngine: the service and the model there.")
    runtime_env: RuntimeEnv = Field(default_factory=RuntimeEnv)
    s3_mirror_config: Mirror | None = None
    gcs_mirror_config: Mirror | None = None
    lora_config: LoraConfig | None = Field(None, description="Adapters (LoRA) that are served beside the model itself.")
    generation: Generation = Field(default_factory=Generation)
    memory: Memory | None = Field(None, description="Sizes that cannot be read from files on this machine.")

    @property
    def kind(self) -> str:
        """What the model answers with: `generation` or `embedding`."""
        if self.saas is not None:
            return self.saas.kind
        if self.type is EngineType.LLAMA_CPP and self.engine_kwargs.get("embedding") is True:
            return "embedding"
        return "embedding" if self.type is EngineType.EMBEDDING else "generation"


DEFAULT_CONTEXT = {
    EngineType.VLLM: 2048,
    EngineType.EMBEDDING: 512,
    EngineType.TRANSFORMERS: 2048,
    EngineType.LLAMA_CPP: 2048,
}
"""`max_total_tokens` of a file that gives none: the defaults of RayLLM's `VLLMEngineConfig` and embedding engine. What
somebody else runs has the limits they set."""


def total_tokens(engine: EngineConfig) -> int | None:
    """The most tokens of a request, prompt and answer together; None where the model's own config says it."""
    return None if engine.full_context else engine.max_total_tokens or DEFAULT_CONTEXT.get(engine.type)
