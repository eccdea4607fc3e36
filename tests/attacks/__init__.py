"""What a hostile tester tries, a module for each kind: a sample of each in ``make test``, all in ``make attack``."""
