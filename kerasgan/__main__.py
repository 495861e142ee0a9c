"""`python -m kerasgan` is `kerasgan`."""

import sys

from kerasgan.cli import main

if __name__ == "__main__":
    sys.exit(main())
