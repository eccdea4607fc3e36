# Restarts the Volume Shadow Copy service and the services behind writers that are not stable.
try {
    $services = @{ 'WMI Writer' = 'Winmgmt'; 'BITS Writer' = 'BITS'; 'System Writer' = 'CryptSvc'; 'IIS Config Writer' = 'AppHostSvc'
        'IIS Metabase Writer' = 'IISADMIN'; 'MSSearch Service Writer' = 'WSearch'; 'COM+ REGDB Writer' = 'VSS'; 'Registry Writer' = 'VSS'
        'Shadow Copy Optimization Writer' = 'VSS'; 'ASR Writer' = 'VSS'; 'DHCP Jet Writer' = 'DHCPServer'; 'TermServLicensing' = 'TermServLicensing' }
    function Unstable {
        $name = ''
        foreach ($line in (vssadmin.exe list writers)) {
            if ($line -match "'(.+)'\s*$") { $name = $Matches[1] }
            elseif ($line -match '\[(\d+)\]' -and $name) { if ($Matches[1] -ne '1') { $name }; $name = '' }
        }
    }
    $before = @(Unstable) -join ', '
    $restart = @('VSS') + @(Unstable | ForEach-Object { $services[$_] } | Where-Object { $_ }) | Select-Object -Unique
    foreach ($name in $restart) {
        if (Get-Service -Name $name -ErrorAction SilentlyContinue) { Restart-Service -Name $name -Force -ErrorAction Continue }
    }
    Set-Value 'HKLM:\SOFTWARE\Microsoft\BcdrAgentPersistentKeys' 'SnapshotWithoutThreads' 'True' 'String'
    $after = @(Unstable) -join ', '
    if ($after) { Say 'failed' $before $after 'Writers are still not stable: restart the VM in a maintenance window.'; exit 1 }
    Say 'done' $before $after ($restart -join ', ')
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
