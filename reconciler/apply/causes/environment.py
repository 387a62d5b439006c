"""The node and the code on it: disk, ports, images, packages, resources, imports, arguments."""

from reconciler.apply.causes.pattern import pattern

PATTERNS = (
    pattern(
        "no_space",
        proof=r"no space left on device|disk quota exceeded|OutOfDiskError|not enough (?:free )?disk space",
        sentence="the node's disk is full",
        advice="make room where the node keeps downloaded models, or give the nodes larger disks",
    ),
    pattern(
        "port_taken",
        proof=r"failed to bind to address '?([^'\s]+)|address already in use|EADDRINUSE",
        sentence="a port is taken on the node: {0}",
        advice="`ss -ltnp` on the node says who listens there: stop it, or give it another port",
    ),
    pattern(
        "image",
        proof=r"manifest unknown|pull access denied|ErrImagePull|ImagePullBackOff|(?:failed|unable) to pull image"
        r"|requested access to the resource is denied",
        sentence="the container image cannot be pulled",
        advice="check the image's name and tag, and that the nodes may pull from its registry",
    ),
    pattern(
        "package_gone",
        proof=r"Failed to download runtime_env file package|package .* (?:was )?not found in (?:the )?GCS",
        sentence="the cluster has lost the code of the application",
        advice="run `reconcile apply` again, which uploads it anew",
    ),
    pattern(
        "requirement",
        proof=r"No matching distribution found for (.+)|Could not find a version that satisfies the requirement (\S+)"
        r"|Because (\S+) was not found in the package registry",
        sentence="the package index does not have `{0}`",
        advice="correct the `pip` list of `runtime_env`, or let the nodes reach the index that has it",
    ),
    pattern(
        "runtime_env",
        proof=r"RuntimeEnvSetupError|failed to set up (?:the )?runtime environment",
        sentence="the runtime environment could not be set up",
        advice="check the `pip` list of `runtime_env` and that the nodes reach the package index",
    ),
    pattern(
        "no_such_resource",
        proof=r"to be scheduled|no available node types|cannot be scheduled|insufficient resources"
        r"|cannot provide a placement group|infeasible",
        sentence="no node has the resources that a replica needs",
        advice="`reconcile status` shows what the nodes have; lower `num_workers` or the replicas, or add nodes",
    ),
    pattern(
        "node_lost",
        proof=r"(?:its|the) node (?:has )?died|node it was running on|node was terminated",
        sentence="the node that it ran on is gone",
        advice="look at why it left (`reconcile status` lists those that are there); apply again to try elsewhere",
    ),
    pattern(
        "slow_start",
        proof=r"taken more than [\d.]+s to initialize",
        sentence="its replicas are still loading",
        advice="a large model takes minutes: raise `rollout.timeout_s` if it needs longer, or use a mirror nearby",
    ),
    pattern(
        "import_error",
        proof=r"ModuleNotFoundError: No module named '([^']+)'|ImportError: (.+)",
        sentence="the code cannot be imported on the node: {0}",
        advice="install it in the cluster's image, or add it to the `pip` list of `runtime_env`",
    ),
    pattern(
        "bad_value",
        # What pydantic says of a value, below the name of the config that it is for.
        proof=r"^Value error, (.+?)(?: \[type=.*)?$",
        sentence="the engine refused a value: {0}",
        advice="correct it in `engine_config`",
    ),
    pattern(
        "bad_argument",
        proof=r"unexpected keyword argument '([^']+)'|^((?:\w+\.)*ValueError: .+)"
        r"|^(?:[\w.]*ValidationError: )?((?:\d+ )?validation errors? for .+)"
        r"|(unrecognized arguments?: .+)|(argument \S+: invalid .+)|(invalid (?:tool call|reasoning) parser: .+)",
        sentence="the engine refused an argument: {0}",
        advice="correct it in `engine_config`; `reconcile validate` knows the engine's arguments",
    ),
)
