"""The shape of every fact: the contract between ``collectors`` (who fill it) and ``checks`` (who read it).

Every key is always present; what nobody said is ``None``, never a guess. Times are ISO 8601 UTC strings, sizes in GiB
carry ``_gb``, durations ``_s``. The first word of a fact's name is the module that describes what Azure says (``vm``,
``network``, ``backup``); ``guest``, ``linux`` and ``windows`` describe what the guest scripts say.

A list that was not read to its end has ``cut`` among its fact's details (:attr:`~vmbackup.model.Fact.is_cut`), and so
has every fact that was made from it. No check that reads one may say ok.
"""
