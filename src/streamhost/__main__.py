"""`python -m streamhost` is the command `streamhost`."""

from streamhost.cli import main

if __name__ == "__main__":
    main()
