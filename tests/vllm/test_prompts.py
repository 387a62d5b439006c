"""Token for token, what vLLM makes of a conversation with a `prompt_format` is what the original renderers and their
tokenizers made of it: vLLM's own rendering of chat requests, without an engine behind it, as our engine sets it up."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.registry.document import parse
from reconciler.registry.engine_spec import PromptFormat
from reconciler.registry.model_file import read_model
from reconciler.registry.prompt_format import chat_template
from reconciler.serve.local import model
from tests.registry.test_prompt_format import TEXT, prompt_formats
from tests.support.dialects import INPUTS
from tests.support.original_prompts import Message, aviary_prompt, rayllm_prompt
from tests.support.tokenizers import KINDS, write_tokenizer

pytestmark = [pytest.mark.vllm, pytest.mark.filterwarnings("ignore")]

MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "user", "assistant"]), "content": TEXT})
    | st.fixed_dictionaries({"role": st.just("tool"), "content": TEXT, "tool_call_id": st.just("call")}),
    min_size=1,
    max_size=5,
)
SYSTEM = st.lists(st.fixed_dictionaries({"role": st.just("system"), "content": TEXT}), max_size=1)


class Renderer:
    """vLLM's rendering of chat requests with one tokenizer."""

    def __init__(self, directory: Path) -> None:
        from transformers import AutoTokenizer
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.renderers import renderer_from_config

        from runtime.engine.prompts import have_tokenizer_begin

        model_directory = model.build(directory.parent / "tiny-chat", seed=7)
        arguments = AsyncEngineArgs(model=str(model_directory), tokenizer=str(directory), dtype="float32")
        config = arguments.create_engine_config()
        self._model_config = config.model_config
        self._renderer = renderer_from_config(config)
        have_tokenizer_begin(self._renderer)
        self._loop = asyncio.new_event_loop()
        self._tokenizer = AutoTokenizer.from_pretrained(directory)

    def ids(self, template: str | None, messages: list[Message]) -> list[int]:
        """What the engine would get for a chat request."""
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
        from vllm.renderers.online_renderer import OnlineRenderer

        online = OnlineRenderer(
            self._model_config,
            self._renderer,
            request_logger=None,
            chat_template=template,
            chat_template_content_format="auto",
        )
        request = ChatCompletionRequest(model="tiny", messages=messages)
        _, [prompt] = self._loop.run_until_complete(online.render_chat(request))
        return list(prompt["prompt_token_ids"])

    def encoded(self, text: str, **options: bool) -> list[int]:
        """What the tokenizer makes of a text, with its own settings."""
        return list(self._tokenizer(text, **options).input_ids)

    def close(self) -> None:
        self._renderer.shutdown()
        self._loop.close()


@pytest.fixture(scope="module")
def renderers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Renderer]]:
    folder = tmp_path_factory.mktemp("tokenizers")
    found = {kind: Renderer(write_tokenizer(kind, folder / kind)) for kind in KINDS}
    yield found
    for renderer in found.values():
        renderer.close()


def given_formats() -> dict[str, tuple[str, str, Any]]:
    """Each prompt format of the given files: the template that it becomes, its era, and as it is written."""
    found = {}
    for path in sorted(INPUTS.rglob("*.y*ml")):
        content = path.read_bytes()
        entry = read_model("given.yaml", content).entry
        prompt_format = entry.spec.engine_config.generation.prompt_format if entry else None
        if entry is None or prompt_format is None:
            continue
        document, _ = parse("given.yaml", content)
        assert document is not None
        written = written_format(document.value)
        era = "aviary" if entry.dialect.startswith(("Aviary", "OpenCSG")) else "rayllm"
        found[f"{era} {json.dumps(written, sort_keys=True)}"] = (chat_template(prompt_format), era, written)
    return found


def written_format(document: Mapping[str, Any]) -> Any:
    """The `prompt_format` in a file of any era."""
    for name in ("engine_config", "model_config", "model_conf"):
        if name in document:
            return (document[name].get("generation") or {}).get("prompt_format")
    return document["generation_config"]["prompt_format"]


FORMATS = given_formats()


def test_the_tokenizers_differ_at_the_beginning_of_a_text(renderers: dict[str, Renderer]) -> None:
    begins = {
        kind: renderer.encoded("ab")[0] == renderer.encoded("<s>", add_special_tokens=False)[-1]
        for kind, renderer in renderers.items()
    }
    assert begins == {
        "adds-bos": True,
        "has-bos": False,
        "no-bos": False,
        "adds-both": True,
        "llama": True,
        "llama-legacy": True,
    }
    # A written token is no beginning to Llama's newer tokenizer: a template cannot say what its encoder says.
    newer = renderers["llama"]
    assert newer.encoded("<s>ab", add_special_tokens=False) != newer.encoded("ab")


def test_the_given_files_hold_many_formats() -> None:
    if not INPUTS.is_dir():
        pytest.skip("there are no given files")
    assert len(FORMATS) > 15
    assert {era for _, era, _ in FORMATS.values()} == {"aviary", "rayllm"}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=6)
@given(turns=MESSAGES, system=SYSTEM, place=st.integers(0, 5), kind=st.sampled_from(KINDS))
def test_every_token_of_a_given_format_is_the_original_one(
    renderers: dict[str, Renderer], name: str, turns: list[Message], system: list[Message], place: int, kind: str
) -> None:
    template, era, written = FORMATS[name]
    messages = [*turns[:place], *system, *turns[place:]]
    original = aviary_prompt if era == "aviary" else rayllm_prompt
    expected = renderers[kind].encoded(original(written, messages))
    assume(expected)
    assert renderers[kind].ids(template, messages) == expected


@settings(max_examples=150)
@given(
    prompt_format=prompt_formats(), turns=MESSAGES, system=SYSTEM, place=st.integers(0, 5), kind=st.sampled_from(KINDS)
)
def test_every_token_of_any_format_is_the_original_one(
    renderers: dict[str, Renderer],
    prompt_format: PromptFormat,
    turns: list[Message],
    system: list[Message],
    place: int,
    kind: str,
) -> None:
    messages = [*turns[:place], *system, *turns[place:]]
    expected = renderers[kind].encoded(rayllm_prompt(prompt_format.model_dump(), messages))
    assume(expected)
    assert renderers[kind].ids(chat_template(prompt_format), messages) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_that_spells_the_token_out_is_encoded_as_any_text(renderers: dict[str, Renderer], kind: str) -> None:
    prompt_format = PromptFormat(
        system="<s>{instruction}", assistant="{instruction}</s>", trailing_assistant="", user="<s>[INST] {instruction}"
    )
    messages = [{"role": "user", "content": "Hi"}]
    assert renderers[kind].ids(chat_template(prompt_format), messages) == renderers[kind].encoded("<s>[INST] Hi")


@pytest.mark.parametrize("kind", KINDS)
def test_another_template_is_encoded_as_vllm_does(renderers: dict[str, Renderer], kind: str) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    begins = "" if kind == "no-bos" else "<s>"
    expected = renderers[kind].encoded(f"{begins}<|user|>Hi</s><|assistant|>", add_special_tokens=False)
    assert renderers[kind].ids(None, messages) == expected
