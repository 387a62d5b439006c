import pytest

from reconciler.apply.causes import PATTERNS
from reconciler.apply.diagnosis import EVIDENCE_LINES, diagnose
from reconciler.apply.evidence import first_line

LOGS = {
    "no_xllamacpp": "RuntimeError: xllamacpp is not on this node: build it into the image, or write it in "
    "`runtime_env.pip` of the model",
    "llama_cpp_without_gpu": "RuntimeError: the model has GPUs that this build of xllamacpp cannot use: install the "
    "one for them from https://xorbitsai.github.io/xllamacpp/whl, or write `num_gpus_per_worker: 0`",
    "no_gguf": "FileNotFoundError: there is no `chat.Q4.gguf` in s3://models/chat, but `chat.Q8.gguf`",
    "bad_gguf": "RuntimeError: llama.cpp cannot load /models/chat.gguf: Failed to init server",
    "no_litellm": "RuntimeError: this provider is asked through LiteLLM, which this node does not have: write",
    "gateway_unreachable": "no answer from http://10.0.0.1:8000/v1/models: [Errno 111] Connection refused",
    "missing_node_variable": "LookupError: `MODELS` is not set on this node but `llm_config.model_loading_config."
    "model_source` refers to it: set it where Ray is started",
    "kv_cache_too_small": "ValueError: No available memory for the cache blocks. Try increasing "
    "`gpu_memory_utilization` when initializing the engine.",
    "memory_taken": "ValueError: Free memory on device cuda:0 (3.1/22.0 GiB) on startup is less than desired GPU "
    "memory utilization (0.9, 19.8 GiB).",
    "node_memory_taken": "ValueError: Available memory on node 0 (6.31/11.71 GiB) on startup is less than desired CPU "
    "memory utilization (0.92, 10.78 GiB).",
    "gpu_out_of_memory": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.96 GiB.",
    "out_of_memory": "RuntimeError: [enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory",
    "context_too_long": "Value error, User-specified max_model_len (99999) is greater than the derived max_model_len "
    "(max_position_embeddings=2048)",
    "shared_memory": "RuntimeError: DataLoader worker (pid 71) is killed by signal: Bus error. It is possible that "
    "dataloader's workers are out of shared memory. Please try to raise your shared memory limit.",
    "batch_too_small": "Value error, max_num_batched_tokens (2048) is smaller than max_model_len (8192).",
    "hub_busy": "huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: "
    "https://huggingface.co/api/models/org/chat",
    "invalid_token": "huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: "
    "https://huggingface.co/api/models/org/chat (Request ID: Root=1) Invalid credentials in Authorization header",
    "gated_model": "Access to model org/chat is restricted and you are not in the authorized list. Visit "
    "https://huggingface.co/org/chat to ask for access.",
    "missing_token": "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1) Cannot access "
    "gated repo for url https://huggingface.co/org/chat/resolve/main/config.json.",
    "bucket_denied": "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the ListObjectsV2 "
    "operation: Access Denied",
    "bucket_missing": "botocore.errorfactory.NoSuchBucket: An error occurred (NoSuchBucket) when calling the "
    "ListObjectsV2 operation: The specified bucket does not exist",
    "certificate": "requests.exceptions.SSLError: HTTPSConnectionPool(host='huggingface.co', port=443): [SSL: "
    "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain",
    "partial_weights": "safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer",
    "permission": "PermissionError: [Errno 13] Permission denied: '/models/hub'",
    "unsupported_quantization": "ValueError: The quantization method fp8 is not supported for the current GPU. Minimum "
    "capability: 89. Current capability: 75.",
    "mirror_empty": "runtime.engine.errors.WeightsError: there is nothing at `s3://models/chat`",
    "weights_incomplete": "runtime.engine.errors.WeightsError: `/models/chat` is incomplete: "
    "`model-00002-of-00003.safetensors` is missing",
    "weights_pointer": "runtime.engine.errors.WeightsError: `/models/chat/model.safetensors` is a pointer of Git LFS, "
    "not weights",
    "weights_damaged": "runtime.engine.errors.WeightsError: `/models/chat/model.safetensors` is cut off or damaged: it "
    "has 1000 bytes of 2000",
    "mirror_changing": "runtime.engine.errors.WeightsError: `s3://models/chat` was changed while it was fetched",
    "mirror_hash": "runtime.engine.errors.WeightsError: `s3://models/chat/hash` holds no revision: '../etc'",
    "store_silent": "runtime.engine.errors.WeightsError: the store of `s3://models/chat` does not answer (When listing "
    "objects under key 'chat/' in bucket 'models': AWS Error NETWORK_CONNECTION)",
    "adapter_rank": "adapter org/chat:wide cannot be served: LoRA rank 64 is greater than max_lora_rank 16.",
    "adapter_modules": "ValueError: While loading /lora/fr, expected target modules in {'q_proj'} but received "
    "['model.layers.0.mlp.router'].",
    "adapter_kind": "adapter org/chat:dora cannot be served: vLLM does not yet support DoRA.",
    "old_driver": "RuntimeError: The NVIDIA driver on your system is too old (found version 11040).",
    "too_few_gpus": "Value error, World size (2) is larger than the number of available GPUs (1) in this node. If this "
    "is intentional and you are using:",
    "old_gpu": "torch.AcceleratorError: CUDA error: no kernel image is available for execution on the device",
    "port_taken": "RuntimeError: Failed to bind to address '0.0.0.0:8000'.",
    "image": "Error response from daemon: pull access denied for registry.example/serve, repository does not exist",
    "package_gone": "OSError: Failed to download runtime_env file package gcs://reconciler-engine-0.zip from the GCS "
    "to the Ray worker node.",
    "requirement": "ERROR: No matching distribution found for flash-atn==2.0",
    "node_lost": "The actor died because its node has died. Node Id: 5f, Ip: 10.0.0.7.",
    "slow_start": "Deployment 'X' in application 'y' has 1 replicas that have taken more than 30s to initialize.",
    "hub_unreachable": "OSError: We couldn't connect to 'https://huggingface.co' to load the files",
    "local_path_missing": "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or "
    "'namespace/repo_name': '/models/none'. Use `repo_type` argument if needed.",
    "unknown_revision": "huggingface_hub.errors.RevisionNotFoundError: 404 Client Error. (Request ID: Root=1)",
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
    "bad_value": "Value error, Unknown quantization method: awqq. Must be one of ['awq', 'gptq']. [type=value_error, "
    "input_value=ArgsKwargs(()), input_type=ArgsKwargs]",
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
        ("mirror_empty", "there is nothing at `s3://models/chat`"),
        (
            "weights_incomplete",
            "the weights are not whole: `/models/chat` is incomplete: `model-00002-of-00003.safetensors` is missing",
        ),
        ("weights_pointer", "`/models/chat/model.safetensors` is a pointer of Git LFS in place of weights"),
        (
            "weights_damaged",
            "the weights are not whole: `/models/chat/model.safetensors` is cut off or damaged: it has 1000 bytes of "
            "2000",
        ),
        ("mirror_changing", "`s3://models/chat` was changed while it was fetched"),
        ("mirror_hash", "`s3://models/chat/hash` does not hold a commit"),
        ("store_silent", "the object store of `s3://models/chat` does not answer the node"),
        ("adapter_rank", "the adapter has the rank 64, and the engine was started for less"),
        ("adapter_kind", "the adapter is of a kind that vLLM does not serve: vLLM does not yet support DoRA"),
        ("unsupported_model", "vLLM does not support the architecture ['FooLM']"),
        ("import_error", "the code cannot be imported on the node: flash_attn"),
        ("permission", "the node may not open `/models/hub`"),
        ("unsupported_quantization", "this kind of GPU cannot run the quantization fp8"),
        ("port_taken", "a port is taken on the node: 0.0.0.0:8000"),
        ("requirement", "the package index does not have `flash-atn==2.0`"),
        ("bad_argument", "the engine refused an argument: max_seqs"),
        (
            "bad_value",
            "the engine refused a value: Unknown quantization method: awqq. Must be one of ['awq', 'gptq'].",
        ),
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
        ("pydantic_core.ValidationError: 2 validation errors for EngineArgs", "2 validation errors for EngineArgs"),
        ("api_server.py: error: unrecognized arguments: --foo", "unrecognized arguments: --foo"),
        ("vllm: error: argument --dtype: invalid choice: 'x'", "argument --dtype: invalid choice: 'x'"),
    ],
)
def test_a_refused_argument_is_quoted(line: str, said: str) -> None:
    assert diagnose("", line).sentence == f"the engine refused an argument: {said}"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("gpu_out_of_memory", "NCCL WARN Cuda failure 2 'out of memory'"),
        ("gpu_out_of_memory", "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
        ("out_of_memory", "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory."),
        ("out_of_memory", "Failed core proc(s): {'EngineCore_DP0': -9} killed by the OOM killer"),
        (
            "shared_memory",
            "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient "
            "shared memory (shm).",
        ),
        ("invalid_token", "huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized. Invalid user token."),
        (
            "gated_model",
            "GatedRepoError: 403 Client Error. Your request to access model org/chat is awaiting a review "
            "from the repo authors.",
        ),
        (
            "missing_token",
            "Access to model org/chat is restricted. You must have access to it and be authenticated to "
            "access it. Please log in.",
        ),
        (
            "hub_unreachable",
            'requests.exceptions.ConnectionError: (MaxRetryError("HTTPSConnectionPool: Max retries '
            "exceeded with url: /org/chat (Caused by host='huggingface.co')",
        ),
        (
            "unknown_revision",
            "OSError: v9 is not a valid git identifier (branch name, tag name or commit id) that exists for this model "
            "name.",
        ),
        ("gated_model", "huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1)"),
        (
            "unknown_model",
            "OSError: org/chta is not a local folder and is not a valid model identifier listed on "
            "'https://huggingface.co/models'",
        ),
        ("partial_weights", "RuntimeError: Cannot find any model weights with `/models/chat`"),
        ("partial_weights", "ValueError: Following weights were not initialized from checkpoint: {'lm_head.weight'}"),
        ("partial_weights", "_pickle.UnpicklingError: invalid load key, 'v'."),
        ("partial_weights", "OSError: /models/chat does not appear to have a file named config.json."),
        ("partial_weights", "OSError: Consistency check failed: file should be of size 4976698672 but has size 1024"),
        (
            "bucket_denied",
            "WeightsError: this node may not read `s3://models/chat`, and its environment has no credentials (When "
            "listing objects under key 'chat/' in bucket 'models': AWS Error ACCESS_DENIED)",
        ),
        (
            "bucket_denied",
            "WeightsError: this node has no credentials to read `gs://models/chat` (google::cloud::Status)",
        ),
        ("bucket_missing", "WeightsError: the bucket `modles` does not exist, so `s3://modles/chat` cannot be read ()"),
        ("local_path_missing", "WeightsError: the path `/models/none` does not exist on this node (node-7)"),
        ("bucket_denied", "botocore.exceptions.NoCredentialsError: Unable to locate credentials"),
        ("nccl", "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 1/2 joined."),
        ("nccl", "RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)"),
        ("no_space", "OSError: [Errno 122] Disk quota exceeded"),
        ("no_space", "ray.exceptions.OutOfDiskError: Local disk is full"),
        (
            "port_taken",
            "OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use",
        ),
        ("runtime_env", "ray.exceptions.RuntimeEnvSetupError: Failed to set up runtime environment."),
        (
            "requirement",
            "ERROR: Could not find a version that satisfies the requirement flash-atn (from versions: none)",
        ),
        ("no_such_resource", "Cannot provide a placement group of bundles [{'GPU': 8.0}]: Total resources available"),
        ("bad_argument", "KeyError: 'invalid tool call parser: lama (chose from { hermes,llama3_json })'"),
    ],
)
def test_other_words_for_a_known_cause_name_it_as_well(name: str, line: str) -> None:
    pattern = next(pattern for pattern in PATTERNS if pattern.name == name)
    log = f"INFO 01-02 starting\nTraceback (most recent call last):\n{line}\nINFO more\n"
    cause = diagnose("", log)
    assert cause.sentence.startswith(pattern.sentence.partition("{")[0].rstrip(": "))
    assert cause.evidence[0] == first_line(line)


def test_what_is_specific_wins_over_what_comes_first() -> None:
    log = f"ValueError: something general\n{LOGS['gpu_out_of_memory']}"
    assert diagnose("", log).sentence == "the GPU ran out of memory"


def test_the_message_of_ray_is_read_as_well() -> None:
    assert diagnose(LOGS["no_such_resource"], "").sentence == "no node has the resources that a replica needs"


def test_the_evidence_goes_on_after_the_line_that_proves_it() -> None:
    log = "a\n1 validation error for ModelConfig\n  first detail\n  second detail\n  third detail"
    assert diagnose("", log).evidence == ("1 validation error for ModelConfig", "first detail", "second detail")


def test_the_evidence_ends_where_another_traceback_begins() -> None:
    process = f"(EngineCore pid=7) {LOGS['gpu_out_of_memory']}\n(EngineCore pid=7) Process EngineCore:\nmore"
    assert diagnose("", process).evidence == (LOGS["gpu_out_of_memory"],)
    reraised = f"{LOGS['memory_taken']}\nTraceback (most recent call last):\nmore"
    assert diagnose("", reraised).evidence == (LOGS["memory_taken"],)


def test_without_a_known_cause_the_last_exception_is_named() -> None:
    log = "\n".join([*(f"frame {number}" for number in range(20)), "KeyError: 'a'", "RuntimeError: odd", "bye"])
    cause = diagnose("said", log)
    assert cause.sentence == "RuntimeError: odd"
    assert cause.evidence[-1] == "RuntimeError: odd"
    assert len(cause.evidence) == EVIDENCE_LINES


def test_an_exception_that_passes_another_on_is_not_the_cause() -> None:
    log = "AssertionError: the root\nRuntimeError: Engine core initialization failed. See root cause above."
    assert diagnose("", log).sentence == "AssertionError: the root"
    wrapped = f"RuntimeError: Traceback (most recent call last):\n{log.splitlines()[1]}"
    assert diagnose(wrapped, "").sentence.startswith("RuntimeError: Engine core")


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
