"""The shape of every fact: the contract between asking and judging."""
