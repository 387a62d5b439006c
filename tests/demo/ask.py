"""Ask every model that the gateway lists for a real completion, with the official OpenAI client."""

import json
from pathlib import Path

from openai import OpenAI

local = json.loads(Path(".reconciler/local/cluster.json").read_text())
client = OpenAI(base_url=f"{local['gateway_address']}/v1", api_key="unused")
models = [model.id for model in client.models.list()]
print(f"GET /v1/models: {', '.join(models)}")
for model in models:
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "What do you know about replicas?"}], max_tokens=16
    )
    usage = answer.usage
    print(f"{model} answered {usage.completion_tokens} tokens of noise: {answer.choices[0].message.content!r}")
