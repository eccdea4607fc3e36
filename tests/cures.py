"""Which remedies cure which simulated world."""

CURES = {
    "no_internet_linux": ["allow_storage_in_nsg"],
    "no_internet_windows": ["allow_storage_in_nsg"],
    "no_internet_route": ["add_storage_route"],
    "no_internet_old_agent_linux": ["allow_storage_in_nsg", "update_guest_agent_linux"],
    "agent_stopped_windows": ["restart_vm"],
    "agent_stopped_linux": ["restart_vm"],
    "agent_old_windows": ["reinstall_guest_agent"],
    "agent_old_linux": ["update_guest_agent_linux"],
    "snapshot_rdp_shutdown_windows": ["start_vm"],
    "snapshot_shutdown_linux": ["start_vm"],
    "snapshot_state_misreported_windows": ["stop_and_start_vm"],
    "extension_failed_windows": ["remove_backup_extension"],
    "extension_failed_linux": ["remove_backup_extension"],
    "extension_old_linux": ["remove_backup_extension"],
    "handler_not_ready_linux": ["remove_backup_extension"],
    "extension_operations_disallowed_windows": ["allow_extension_operations"],
    "other_extension_failed_linux": ["remove_failed_extension"],
    "disk_too_large_linux": ["exclude_disks"],
    "disk_too_large_windows": ["exclude_disks"],
    "disk_ade_too_large_windows": ["exclude_disks"],
    "disk_shared_linux": ["exclude_disks"],
    "vm_provisioning_failed_linux": ["reapply_vm"],
    "protection_stopped_linux": ["resume_protection"],
    "backup_in_progress_windows": ["cancel_running_backup"],
    "restore_points_limit_linux": ["delete_restore_point_collection"],
    "restore_points_lock_windows": ["remove_restore_point_lock"],
    "com_plus_windows": ["start_com_plus"],
    "secure_channel_windows": ["enable_strong_crypto"],
    "vc_redistributable_windows": ["install_vc_redistributable"],
    "vss_writer_windows": ["restart_vss"],
    "two_s1_agent_unreachable_linux": ["restart_vm", "remove_backup_extension"],
    "two_s6_disk_not_supported_windows": ["exclude_disks"],
}
"""Each world with the remedies that cure it, in the order in which the walk leads to them."""

ALONE = {remedies[0]: scenario for scenario, remedies in CURES.items() if len(remedies) == 1}
"""For each remedy a world that it cures alone."""
