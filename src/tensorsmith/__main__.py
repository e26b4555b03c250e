"""`python -m tensorsmith`: the same as the command `tensorsmith`."""

import sys

from tensorsmith.tools.cli import main

sys.exit(main())
