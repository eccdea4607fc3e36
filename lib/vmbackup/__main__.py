"""``python -m vmbackup`` is the command ``vmbackup``."""

from vmbackup.cli.main import main

if __name__ == "__main__":
    main()
