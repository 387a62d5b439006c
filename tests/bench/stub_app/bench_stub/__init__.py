"""An engine that answers at once with what is written here, so that only what stands before an engine takes time.

It takes calls in both ways: as the gateway calls an engine, and as the ingress of `ray.serve.llm` does.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from ray import serve
from ray.serve import Application

TOKENS = 16
_WORDS = [f"word{number} " for number in range(TOKENS)]
_COMMON = {"id": "chatcmpl-stub", "created": 1, "model": "bench/stub"}
_USAGE = {"prompt_tokens": 5, "completion_tokens": TOKENS, "total_tokens": TOKENS + 5}


def _answer() -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(_WORDS)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {**_COMMON, "object": "chat.completion", "choices": [choice], "usage": _USAGE}


def _events() -> list[str]:
    deltas: list[tuple[dict[str, str], str | None]] = [({"content": word}, None) for word in _WORDS]
    chunks = [
        {
            **_COMMON,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        for delta, finish in [*deltas, ({}, "stop")]
    ]
    return [*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), "data: [DONE]\n\n"]


_ANSWER = _answer()
_BODY = json.dumps(_ANSWER).encode()
_EVENTS = _events()
_PIECES = [event.encode() for event in _EVENTS]


class Stub:
    """One replica."""

    async def answer(self, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any] | bytes, None]:
        """As the gateway asks."""
        if json.loads(request["body"]).get("stream"):
            yield {"status": 200, "headers": [["content-type", "text/event-stream; charset=utf-8"]]}
            for piece in _PIECES:
                yield piece
        else:
            headers = [["content-type", "application/json"], ["content-length", str(len(_BODY))]]
            yield {"status": 200, "headers": headers}
            yield _BODY

    async def chat(self, body: Any, raw_request_info: Any = None) -> AsyncGenerator[Any, None]:
        """As Ray's ingress asks; its engine too sends a stream in lists."""
        from ray.llm._internal.serve.core.configs.openai_api_models import ChatCompletionResponse

        if body.stream:
            for event in _EVENTS:
                yield [event]
        else:
            yield ChatCompletionResponse(**_ANSWER)


class Direct:
    """One replica that listens by itself, as an engine does with direct streaming."""

    async def __serve_build_asgi_app__(self) -> Any:
        """What vLLM's own application is in the place of."""
        from fastapi import FastAPI, Request
        from fastapi.responses import Response, StreamingResponse

        app = FastAPI()

        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> Response:
            if not (await request.json()).get("stream"):
                return Response(_BODY, media_type="application/json")

            async def pieces() -> AsyncGenerator[bytes, None]:
                for piece in _PIECES:
                    yield piece

            return StreamingResponse(pieces(), media_type="text/event-stream")

        return app


def _stub() -> Application:
    options = {"num_cpus": 0.1}
    return serve.deployment(
        Stub, name="LLMServer:bench--stub", max_ongoing_requests=1000, ray_actor_options=options
    ).bind()


def build(args: Mapping[str, Any]) -> Application:
    """The stub alone, which the gateway finds by its name."""
    return _stub()


def build_behind_ray(args: Mapping[str, Any]) -> Application:
    """The stub behind the ingress of `ray.serve.llm`, made as `build_openai_app` makes it."""
    from ray.llm._internal.serve.core.configs.openai_api_models import ModelCard
    from ray.serve.llm.ingress import OpenAiIngress, make_fastapi_ingress

    card = ModelCard(id="bench/stub", object="model", owned_by="bench", permission=[], metadata={})
    options = {**OpenAiIngress.get_deployment_options(), "ray_actor_options": {"num_cpus": args["num_cpus"]}}
    ingress = serve.deployment(make_fastapi_ingress(OpenAiIngress), **options)
    return ingress.bind(llm_deployments={"bench/stub": _stub()}, model_cards={"bench/stub": card})


def build_direct(args: Mapping[str, Any]) -> Application:
    """The stub with direct streaming, made as `build_openai_app` makes it: HAProxy asks a router for the replica."""
    from ray.llm._internal.serve.core.ingress.router import LLMRouter
    from ray.serve.config import RequestRouterConfig
    from ray.serve.experimental.round_robin_router import RoundRobinRouter

    server = serve.deployment(
        serve.ingress()(Direct),
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0.1},
        request_router_config=RequestRouterConfig(request_router_class=RoundRobinRouter),
    ).bind()
    router = serve.deployment(LLMRouter, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0})
    return server._with_ingress_request_router(router.bind(server=server, llm_config=None, base_model_id=None))
