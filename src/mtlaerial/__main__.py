"""``python -m mtlaerial``, and with that ``torchrun -m mtlaerial``."""

from mtlaerial.cli import main

if __name__ == "__main__":  # worker processes read this file too
    main()
