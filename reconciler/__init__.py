"""GitOps for LLMs on Ray Serve.

One run brings a Ray cluster to what a registry of model files says. Data flows one way, from `registry` (what was
written) over `state` (what should be and what is), `plan` and `drift` (what differs) to `apply` (carrying it out);
`serve` is the one door to Ray, `views` says things, `cli` wires them. Nothing in here imports Ray or vLLM: the code
that runs inside the cluster is the separate package `runtime`.
"""

__version__ = "0.1.0"
