"""`python -m kerasgan.cli` is `kerasgan`."""

from kerasgan.cli import entry

if __name__ == "__main__":
    entry()
