"""`reconcile` as a process of its own whose lease ends twelve seconds after it died, rather than three minutes."""

import sys
from functools import partial

from reconciler.apply.lease import Lease, Terms
from reconciler.cli import lease
from reconciler.cli.main import main

TERMS = Terms(ttl_s=12.0, renew_s=4.0, margin_s=4.0)

if __name__ == "__main__":
    lease.Lease = partial(Lease, terms=TERMS)  # type: ignore[misc, assignment]
    sys.exit(main())
