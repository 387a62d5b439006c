import pytest

from reconciler.apply.causes import PATTERNS
from reconciler.apply.diagnosis import EVIDENCE_LINES, diagnose

LOGS = {
    "gateway_unreachable": "no answer from http://10.0.0.1:8000/v1/models: [Errno 111] Connection refused",
    "missing_node_variable": "LookupError: `MODELS` is not set on this node but `llm_config.model_loading_config."
    "model_source` refers to it: set it where Ray is started",
    "kv_cache_too_small": "ValueError: No available memory for the cache blocks. Try increasing "
    "`gpu_memory_utilization` when initializing the engine.",
    "memory_taken": "ValueError: Free memory on device cuda:0 (3.1/22.0 GiB) on startup is less than desired GPU "
    "memory utilization (0.9, 19.8 GiB).",
    "gpu_out_of_memory": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.96 GiB.",
    "out_of_memory": "RuntimeError: [enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory",
    "context_too_long": "Value error, User-specified max_model_len (99999) is greater than the derived max_model_len "
    "(max_position_embeddings=2048)",
    "gated_model": "huggingface_hub.errors.GatedRepoError: 403 Client Error. Cannot access gated repo for url ...",
    "hub_unreachable": "OSError: We couldn't connect to 'https://huggingface.co' to load the files",
    "local_path_missing": "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or "
    "'namespace/repo_name': '/models/none'. Use `repo_type` argument if needed.",
    "unknown_model": "huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. (Request ID: Root=1)",
    "remote_code": "ValueError: Loading this model requires you to execute its code; set the option "
    "`trust_remote_code=True` to remove this error.",
    "unsupported_model": "Value error, Model architectures ['FooLM'] are not supported for now.",
    "indivisible_heads": "ValueError: Total number of attention heads (14) must be divisible by tensor "
    "parallel size (4).",
    "unsupported_dtype": "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0.",
    "no_gpu": "RuntimeError: No CUDA GPUs are available",
    "nccl": "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:94, unhandled system error",
    "no_space": "OSError: [Errno 28] No space left on device",
    "runtime_env": "ray.exceptions.RuntimeEnvSetupError: Failed to set up runtime environment.",
    "no_such_resource": "Deployment 'X' has 1 replicas that have taken more than 30s to be scheduled. Resources "
    'required for each replica: {"GPU": 8.0}',
    "import_error": "ModuleNotFoundError: No module named 'flash_attn'",
    "bad_argument": "TypeError: AsyncEngineArgs.__init__() got an unexpected keyword argument 'max_seqs'",
}


def test_every_known_cause_has_a_log_here() -> None:
    assert {pattern.name for pattern in PATTERNS} == set(LOGS)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_the_log_of_a_known_cause_names_it(pattern: object) -> None:
    log = f"INFO 01-02 starting\nTraceback (most recent call last):\n  {LOGS[pattern.name]}\nINFO more\n"
    cause = diagnose("The deployment failed to start 3 times in a row.", log)
    assert cause.sentence.split("`")[0].split("{")[0].startswith(pattern.sentence.split("`")[0].split("{")[0])
    assert cause.evidence[0] == LOGS[pattern.name][:300]
    assert "{" not in str(cause).replace("${env:", "")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing_node_variable", "the variable `MODELS` is not set on the node"),
        ("local_path_missing", "the path `/models/none` does not exist on the node"),
        ("unsupported_model", "vLLM does not support the architecture ['FooLM']"),
        ("import_error", "the code cannot be imported on the node: flash_attn"),
        ("bad_argument", "the engine refused an argument: max_seqs"),
    ],
)
def test_a_cause_names_what_the_log_names(name: str, sentence: str) -> None:
    assert diagnose("", LOGS[name]).sentence == sentence


def test_advice_names_the_variable() -> None:
    assert "`${env:MODELS}`" in diagnose("", LOGS["missing_node_variable"]).advice


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ValueError: quantization is wrong", "ValueError: quantization is wrong"),
        ("1 validation error for ModelConfig", "1 validation error for ModelConfig"),
        ("api_server.py: error: unrecognized arguments: --foo", "unrecognized arguments: --foo"),
        ("vllm: error: argument --dtype: invalid choice: 'x'", "argument --dtype: invalid choice: 'x'"),
    ],
)
def test_a_refused_argument_is_quoted(line: str, said: str) -> None:
    assert diagnose("", line).sentence == f"the engine refused an argument: {said}"


def test_what_is_specific_wins_over_what_comes_first() -> None:
    log = f"ValueError: something general\n{LOGS['gpu_out_of_memory']}"
    assert diagnose("", log).sentence == "the GPU ran out of memory"


def test_the_message_of_ray_is_read_as_well() -> None:
    assert diagnose(LOGS["no_such_resource"], "").sentence == "no node has the resources that a replica needs"


def test_the_evidence_goes_on_after_the_line_that_proves_it() -> None:
    log = "a\n1 validation error for ModelConfig\n  first detail\n  second detail\n  third detail"
    assert diagnose("", log).evidence == ("1 validation error for ModelConfig", "first detail", "second detail")


def test_without_a_known_cause_the_last_exception_is_named() -> None:
    log = "\n".join([*(f"frame {number}" for number in range(20)), "KeyError: 'a'", "RuntimeError: odd", "bye"])
    cause = diagnose("said", log)
    assert cause.sentence == "RuntimeError: odd"
    assert cause.evidence[-1] == "RuntimeError: odd"
    assert len(cause.evidence) == EVIDENCE_LINES


def test_an_exception_that_passes_another_on_is_not_the_cause() -> None:
    log = "AssertionError: the root\nRuntimeError: Engine core initialization failed. See root cause above."
    assert diagnose("", log).sentence == "AssertionError: the root"
    assert diagnose("", log.splitlines()[1]).sentence.startswith("RuntimeError: Engine core")


def test_without_any_exception_what_ray_says_is_all_there_is() -> None:
    cause = diagnose("A replica's health check failed.\nmore", "\n".join(f"line {number}" for number in range(20)))
    assert cause.sentence == "A replica's health check failed."
    assert cause.evidence == tuple(f"line {number}" for number in range(12, 20))


def test_nothing_said_is_said() -> None:
    cause = diagnose("", "")
    assert str(cause) == "Ray gives no reason; look at the logs of its replicas in the Ray dashboard"
    assert cause.evidence == ()


def test_the_root_cause_in_the_output_of_the_engine_process_is_found() -> None:
    message = """The deployment failed to start 3 times in a row. Error:
    RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"""
    prefix = "(EngineCore_DP0 pid=7) ERROR 01-02 10:11:12 [core.py:842]"
    output = f""":actor_name:ServeReplica:chat:LLMServer
{prefix} EngineCore failed to start.
{prefix} Traceback (most recent call last):
{prefix}   File "core.py", line 833, in run_engine_core
{prefix} ValueError: Unknown quantization method: awqq
Traceback (most recent call last):
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {{}}
"""
    cause = diagnose(message, output)
    assert cause.sentence == "the engine refused an argument: ValueError: Unknown quantization method: awqq"
