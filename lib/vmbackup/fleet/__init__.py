"""Many VMs: which ones, what the lists say of them, their runs, and what all of it adds up to.

    orders, scope    which VMs: the rows of a table, or a scope; both give a FleetPlan of RunSpecs
    inventory/       what lists say of all VMs, asked once; scope asks for it
    ledger           the folder as a database: begins a plan, knows what has ended
    coordinator      runs what the ledger has still to do, on the workers of a pool
      pool           processes of this machine (worker_process), or the workers of a Dask cluster
        sharing, sign_in    what they share: Azure's limits, one sign-in
        execute      one run: papermill with the engine, in a run folder of its own
          engine     papermill's engine with a kernel forked from a zygote
                     (nursery starts it, zygote forks, kernel runs in the child, forked and messages talk to it)
    folder           reads the folder again, and lists its files
      rows, tonight  one row for each VM, and whether its next backup is at risk
      grouping, compare, summary    groups of VMs, what changed since last time, the table as files
    calls            how many calls to Azure were made and saved
    rollout/         one remedy for many of these VMs

``vmbackup.cli.fleet`` and ``vmbackup.cli.rollout`` call scope, coordinator and rollout; ``vmbackup.many_vms`` calls
folder and what stands below it.
"""
