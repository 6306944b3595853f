"""python -m release.ledger FILE: verify a ledger, read-only."""

import sys

from release.ledger.verify import main

sys.exit(main(sys.argv[1:]))
