"""The code that Ray imports in the cluster: one package for each kind of application.

`gateway` stands before all models; `engine` (vLLM), `llama_cpp` and `saas` each answer for one. None may import
another: each is shipped alone, with this file, an engine also with `replica`, which holds what all engines need.

They speak HTTP over a Serve handle: an engine's deployment has a method `answer`, which takes a request as plain data
(`method`, `path`, `headers`, `body`, and `terms`, what only an engine can see to) and yields the head of its answer and
then the body in pieces. So the gateway needs nothing of an engine, and each path, field, error and event is the
engine's own.
"""
