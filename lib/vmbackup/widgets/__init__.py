"""The guided walk in a notebook: the same pages as everywhere, with buttons. Display only; the state is the run's."""
