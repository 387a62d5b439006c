"""Why the weights do not come: what a replica finds out itself (`runtime.engine`), and what the clients of the Hub and
of object stores, and vLLM, say."""

from reconciler.apply.causes.pattern import pattern

_UPLOAD_AGAIN = "upload it again, or put it there again, and apply again"

PATTERNS = (
    pattern(
        "mirror_empty",
        proof=r"there is nothing at `([^`]+)`",
        sentence="there is nothing at `{0}`",
        advice="correct `bucket_uri`, or upload the model there: the files of its repository, not a folder with them",
    ),
    pattern(
        "weights_incomplete",
        proof=r"(`[^`]+` is incomplete: .+? (?:is|are) missing)",
        sentence="the weights are not whole: {0}",
        advice="put there what is missing; an upload that was interrupted has to be repeated",
    ),
    pattern(
        "weights_pointer",
        proof=r"`([^`]+)` is a pointer of Git LFS",
        sentence="`{0}` is a pointer of Git LFS in place of weights",
        advice="fetch the weights in that clone (`git lfs pull`), and upload or copy them again",
    ),
    pattern(
        "weights_damaged",
        proof=r"(`[^`]+` is (?:cut off or )?damaged: [^(]+)",
        sentence="the weights are not whole: {0}",
        advice=_UPLOAD_AGAIN,
    ),
    pattern(
        "mirror_changing",
        proof=r"`([^`]+)` was changed while it was fetched",
        sentence="`{0}` was changed while it was fetched",
        advice="let the upload come to its end and apply again; give each version a folder of its own",
    ),
    pattern(
        "mirror_hash",
        proof=r"`([^`]+/hash)` holds no revision",
        sentence="`{0}` does not hold a commit",
        advice="write the commit that the mirror was made of into it, and nothing else, or remove it",
    ),
    pattern(
        "store_silent",
        proof=r"the store of `([^`]+)` does not answer",
        sentence="the object store of `{0}` does not answer the node",
        advice="let the nodes reach it; a store of your own is named by `AWS_ENDPOINT_URL` in `runtime_env.env_vars`",
    ),
    pattern(
        "hub_busy",
        proof=r"\b429 Client Error|Too Many Requests.*huggingface\.co|rate limit.*huggingface|HfHubHTTPError: 429",
        sentence="the Hugging Face Hub has had too many requests from this cluster",
        advice="give a token (`HF_TOKEN: ${{env:HF_TOKEN}}` in `runtime_env.env_vars`), or load from a mirror",
    ),
    pattern(
        "invalid_token",
        proof=r"Invalid (?:user )?(?:token|credentials|username or password)|token .* (?:is invalid|has expired)",
        sentence="the Hugging Face Hub refuses the token that the node has",
        advice="put a valid one where the nodes' `HF_TOKEN` comes from, restart what reads it, and apply again",
    ),
    pattern(
        "gated_model",
        proof=r"GatedRepoError: 403|not in the authorized list|awaiting a review"
        r"|\b403 Client Error.*(?:huggingface\.co|gated)|ask for access|cannot access gated repo.*\b403\b",
        sentence="the model is gated, and this account may not have it",
        advice="accept the model's licence on the Hub with the account that the nodes' `HF_TOKEN` belongs to",
    ),
    pattern(
        "missing_token",
        proof=r"GatedRepoError|access to model .* is restricted|cannot access gated repo|\b401 Client Error"
        r"|LocalTokenNotFoundError|\b403 Client Error",
        sentence="the Hugging Face Hub does not let this cluster have the model",
        advice="give the token of an account that accepted the licence: `HF_TOKEN: ${{env:HF_TOKEN}}` in "
        "`runtime_env.env_vars`, and `HF_TOKEN` where Ray is started on every node",
    ),
    pattern(
        "bucket_denied",
        proof=r"this node (?:may not|has no credentials to) read `|NoCredentialsError|Unable to locate credentials"
        r"|\(AccessDenied\)|InvalidAccessKeyId"
        r"|DefaultCredentialsError|does not have storage\.objects",
        sentence="the node may not read the bucket of the mirror",
        advice="give the nodes a role that may read it, or credentials in `runtime_env.env_vars` as `${{env:NAME}}`",
    ),
    pattern(
        "bucket_missing",
        proof=r"the bucket `[^`]+` does not exist|NoSuchBucket|NoSuchKey|The specified (?:bucket|key) does not exist",
        sentence="the bucket of the mirror, or what should be in it, does not exist",
        advice="correct `bucket_uri`, or upload the model there",
    ),
    pattern(
        "certificate",
        proof=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        sentence="the node does not trust the certificate of the server it loads from",
        advice="install your certificate authority in the nodes' image, and set `REQUESTS_CA_BUNDLE` and "
        "`SSL_CERT_FILE` there",
    ),
    pattern(
        "hub_unreachable",
        proof=r"couldn't connect to 'https://huggingface\.co'|LocalEntryNotFoundError|OfflineModeIsEnabled"
        r"|Max retries exceeded .*huggingface\.co",
        sentence="the node cannot reach the Hugging Face Hub and has no copy of the model",
        advice="let the nodes reach huggingface.co, or load the model from a mirror or a path on every node",
    ),
    pattern(
        "local_path_missing",
        proof=r"(?:invalid repository id or local directory specified|repo id must be in the form [^:]*)"
        r":\s*['\"]?(/[^'\"\s]+)|the path `(/[^`]+)` does not exist on this node"
        r"|(?:No such file or directory|does not exist):\s*['\"]?(/[^'\"\s]+)",
        sentence="the path `{0}` does not exist on the node",
        advice="put the model there on every node, or correct `hf_model_id`",
    ),
    pattern(
        "partial_weights",
        proof=r"Cannot find any (?:safetensors )?model weights|SafetensorError|MetadataIncompleteBuffer|HeaderTooLarge"
        r"|weights were not initialized from checkpoint|PytorchStreamReader failed|UnpicklingError: invalid load key"
        r"|file should be of size|does not appear to have a file named (\S+\w)",
        sentence="the weights are incomplete or damaged",
        advice="remove them from the node's cache (or upload the mirror again) so that they are fetched anew; a small "
        "file that begins with `version https://git-lfs` is a pointer, not weights",
    ),
    pattern(
        "permission",
        proof=r"PermissionError: \[Errno 13\] Permission denied: ['\"]?([^'\"\s]+)",
        sentence="the node may not open `{0}`",
        advice="give the user that Ray runs as access to it, or point `HF_HOME` to a folder it may write",
    ),
    pattern(
        "unknown_revision",
        proof=r"RevisionNotFoundError|is not a valid git identifier",
        sentence="the Hugging Face Hub does not know this revision of the model",
        advice="write a commit of the model's repository as `revision` in `engine_kwargs`",
    ),
    pattern(
        "unknown_model",
        proof=r"RepositoryNotFoundError|\b404 Client Error|is not a valid model identifier"
        r"|invalid repository id or local directory specified|repo id must be in the form",
        sentence="the Hugging Face Hub does not know the model",
        advice="check `hf_model_id` (or `model_id`); a private model needs `HF_TOKEN: ${{env:HF_TOKEN}}`",
    ),
)
