"""``python -m manifest_tools`` is ``mtool``."""

from manifest_tools.cli.app import main

if __name__ == "__main__":
    main()
