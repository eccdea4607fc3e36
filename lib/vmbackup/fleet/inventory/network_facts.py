"""The facts of a VM's network, out of the lists."""

from __future__ import annotations

from vmbackup.arm.wire import entries
from vmbackup.checks.vm_state import is_off
from vmbackup.collectors import routes, rules
from vmbackup.collectors.network import interface_ids, read_interfaces, read_subnet
from vmbackup.fleet.inventory.effective import routes_of, rules_of
from vmbackup.fleet.inventory.index import own_id
from vmbackup.fleet.inventory.listed_vm import ListedVm, ReadFacts
from vmbackup.resource_ids import part_after


def _nics(vm: ListedVm) -> ReadFacts:
    model, _ = vm.index.row("vms", vm.subscription, vm.target.vm_id, own_id)
    ids = interface_ids(model)
    found = [vm.index.row("nics", part_after(nic_id, "subscriptions"), nic_id, own_id) for nic_id in ids]
    for name, data in read_interfaces([row for row, _ in found]).items():
        yield name, data, [rows for _, rows in found]


def _subnets(vm: ListedVm) -> ReadFacts:
    ids = {config["subnet_id"]: None for nic in vm.data("network.nics") for config in nic["ip_configs"]}
    found, used = [], []
    for subnet_id in ids:
        wanted = (subnet_id or "").lower()
        network_id = wanted.partition("/subnets/")[0]
        network, rows = vm.index.row("networks", part_after(subnet_id, "subscriptions"), network_id, own_id)
        subnets = [wire for wire in entries(network, "properties", "subnets") if own_id(wire).lower() == wanted]
        found.append(read_subnet(subnets[0] if subnets else None))
        used.append(rows)
    yield "network.subnets", found, used


def _rules(vm: ListedVm) -> ReadFacts:
    """Effective rules for a VM that runs, else the configured ones: Azure computes none while it is off."""
    nics, groups = vm.data("network.nics"), vm.data("_groups")
    read, used = vm.reader("security groups")
    if vm.data("vm.power")["power"] == "running":
        computed = [vm.index.listed(rules.EFFECTIVE, rules_of(nic, groups)) for nic in nics]
        found = [
            rules.rules_of_neighbour(nic, groups[nic["id"].lower()], rows.entries[0], read)
            for nic, rows in zip(nics, computed, strict=True)
        ]
        yield "network.rules", {"source": "effective", "nics": found}, [*used, *computed]
    elif is_off(vm.data("vm.power")["power"]):
        found = [rules.written_rules(nic, groups, vm.data("network.subnets"), read) for nic in nics]
        yield "network.rules", vm.not_computed(found), used


def _routes(vm: ListedVm) -> ReadFacts:
    nics = vm.data("network.nics")
    if vm.data("vm.power")["power"] == "running":
        used = [vm.index.listed(routes.EFFECTIVE, routes_of(nic)) for nic in nics]
        found = [routes.read_effective_routes(nic["id"], rows.entries[0]) for nic, rows in zip(nics, used, strict=True)]
        yield "network.routes", {"source": "effective", "nics": found}, used
    elif is_off(vm.data("vm.power")["power"]):
        read, used = vm.reader("route tables")
        found = [routes.written_routes(nic, vm.data("network.subnets"), read) for nic in nics]
        yield "network.routes", vm.not_computed(found), used


READERS = (_nics, _subnets)
"""In this order: later ones use what earlier ones found."""
TO_EXAMINE = (_rules, _routes)
