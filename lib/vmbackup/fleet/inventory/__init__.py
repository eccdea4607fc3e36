"""What lists say of many VMs, asked once, so that a run asks Azure only for what is not known.

build            builds the inventory of a scope, and is what the rest of the fleet calls:
  lists          asks for each list once, and keeps its rows (shelf: in a file) or the gap
  index          finds a VM's rows in the lists
  facts          makes a VM's facts of them: vm_facts, network_facts, backup_facts, each over a listed_vm
  signs          says which VMs need to be examined
  metrics, effective    ask for what only those need, for many of them at once
model            what comes out: an Inventory of InventoryVms
"""
