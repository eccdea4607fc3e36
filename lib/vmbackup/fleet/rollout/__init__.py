"""One remedy for many VMs of a fleet: first one VM, then a few, then the rest; it stops when a VM gets worse.

The operator's *plan* is an :class:`~vmbackup.fleet.rollout.agreement.Agreement` here; a ``Plan`` is what
``vmbackup.remedies`` plans for one VM.

    planning     makes the agreement of what the fleet's folder says; waves puts its VMs in order
    record       keeps the agreement and each VM's end in the fleet's folder
    coordinator  carries it out, wave after wave; vm changes one VM, worse judges it before and after
    connections  opens the runs of the VMs over one sign-in
"""
