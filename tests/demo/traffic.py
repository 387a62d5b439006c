"""Chat requests to one model, one after the other, until interrupted; then says how many failed."""

import json
import signal
import sys
import time
from pathlib import Path

import httpx

running = True


def stop(*_: object) -> None:
    global running
    running = False


signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
local = json.loads(Path(".reconciler/local/cluster.json").read_text())
body = {"model": sys.argv[1], "messages": [{"role": "user", "content": "still there?"}], "max_tokens": 4}
answered, failures, slowest = 0, [], 0.0
with httpx.Client(base_url=local["gateway_address"], timeout=60) as client:
    while running:
        started = time.monotonic()
        try:
            client.post("/v1/chat/completions", json=body).raise_for_status()
            answered += 1
        except httpx.HTTPError as error:
            failures.append(str(error))
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.1)
print(f"requests throughout the restart: {answered} answered, {len(failures)} failed, slowest {slowest:.1f} s")
for failure in failures[:5]:
    print(f"  {failure}")
sys.exit(1 if failures or not answered else 0)
