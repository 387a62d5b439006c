"""What the engines beside vLLM say themselves: llama.cpp and its files, and services outside the cluster."""

from reconciler.apply.causes.pattern import pattern

PATTERNS = (
    pattern(
        "no_xllamacpp",
        proof=r"xllamacpp is not on this node",
        sentence="llama.cpp is not installed on the node",
        advice="build xllamacpp into the image, or write it in `runtime_env.pip` of the model",
    ),
    pattern(
        "llama_cpp_without_gpu",
        proof=r"GPUs that this build of xllamacpp cannot use",
        sentence="the xllamacpp on the node is the one for CPUs",
        advice="install the one for the node's GPUs, or write `num_gpus_per_worker: 0`",
    ),
    pattern(
        "no_gguf",
        proof=r"there is no `([^`]+\.gguf)` in|write `gguf_file`: in (\S+) there are",
        sentence="the GGUF file is not there, or not named: {0}",
        advice="write in `gguf_file` the name of the file that is in the folder, bucket or repository",
    ),
    pattern(
        "bad_gguf",
        proof=r"llama\.cpp cannot load (\S+):",
        sentence="llama.cpp cannot load `{0}`",
        advice="the lines above it in the log say why: a file that is no GGUF or cut off, a parameter, or no memory",
    ),
    pattern(
        "no_litellm",
        proof=r"LiteLLM, which this node does not have",
        sentence="LiteLLM, which the provider needs, is not installed on the node",
        advice="write it in `runtime_env.pip` of the model, or build it into the image",
    ),
)
